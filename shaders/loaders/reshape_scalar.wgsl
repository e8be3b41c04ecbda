// Loader: the elements of matrix $m in row-major order as a matrix of another width, of any widths; zero in the padding.
// Needs: load1_$m, const ROWS_$m, COLUMNS_$m, ROWS_reshaped (not padded), COLUMNS_reshaped. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let valid = columns_below(COLUMNS_reshaped, column4);
  //: repeat i 0..4
  let index_$i = row * COLUMNS_reshaped + 4u * column4 + $iu;
  let inside_$i = row < ROWS_reshaped && valid[$i];
  let column_$i = index_$i % COLUMNS_$m;
  let at_$i = select(0u, at(ROWS_$m, index_$i / COLUMNS_$m, column_$i >> 2u), inside_$i);
  let value_$i = select(0.0, load1_$m(at_$i, column_$i & 3u), inside_$i);
  //: end
  return vec4f(value_0, value_1, value_2, value_3);
}
