// Loader: COLUMNS columns of a matrix, from column FIRST on. Needs: at_scalar, buffer source of f32, const ROWS_source, FIRST, COLUMNS.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS) {
    v[$c] = source[at_scalar(ROWS_source, row, FIRST + 4u * column4 + $cu)];
  }
  //: end
  return v;
}
