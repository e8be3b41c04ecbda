// Loader: the elements of matrix $m in row-major order as a matrix of another width, both widths multiples of four; zero in
// the padding. Needs: load4_$m, const ROWS_$m, COLUMNS_$m, ROWS_reshaped (not padded), COLUMNS_reshaped. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let index = row * COLUMNS_reshaped + 4u * column4;
  let inside = row < ROWS_reshaped && 4u * column4 < COLUMNS_reshaped;
  let from_row = index / COLUMNS_$m;
  return select(vec4f(), load4_$m(select(0u, at(ROWS_$m, from_row, (index % COLUMNS_$m) >> 2u), inside)), inside);
}
