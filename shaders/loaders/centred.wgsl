// Loader: y = x - offset of FEATURES columns and, in the columns after them, y². Rows that are no data are zero.
// Needs: load_x, at_scalar, valid_rows, buffer offset of f32, const ROWS_offset, ROW_offset, FEATURES, COLUMNS. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  if (row < valid_rows()) {
    //: repeat c 0..4
    if (4u * column4 + $cu < COLUMNS) {
      let feature = (4u * column4 + $cu) % FEATURES;
      let y = load_x(row, feature >> 2u)[feature & 3u] - offset[at_scalar(ROWS_offset, ROW_offset, feature)];
      v[$c] = select(y, y * y, 4u * column4 + $cu >= FEATURES);
    }
    //: end
  }
  return v;
}
