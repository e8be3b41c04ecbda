// Loader: a matrix of COLUMNS_a columns placed at the columns FIRST_a ... of a wider one, zero elsewhere. Needs: at_scalar, buffer a of
// f32, const ROWS_a, FIRST_a, COLUMNS_a. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu >= FIRST_a && 4u * column4 + $cu < FIRST_a + COLUMNS_a) {
    v[$c] = a[at_scalar(ROWS_a, row, 4u * column4 + $cu - FIRST_a)];
  }
  //: end
  return v;
}
