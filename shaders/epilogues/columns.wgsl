// Writes to columns FIRST ... of a wider matrix. Needs: at_scalar, buffer y of f32, const ROWS_y, FIRST, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS) {
    y[at_scalar(ROWS_y, row, FIRST + 4u * column4 + $cu)] = value[$c];
  }
  //: end
}
