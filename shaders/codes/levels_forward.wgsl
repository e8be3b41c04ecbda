// Loader: every number as one of its column's levels; zero in the padding. Needs: level_of, bounded, half_width, load_z, const ROWS_valid,
// COLUMNS_valid. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let z4 = load_z(row, column4);
  var v = vec4f();
  //: repeat c 0..4
  if (row < ROWS_valid && 4u * column4 + $cu < COLUMNS_valid) {
    let level = level_of(4u * column4 + $cu);
    v[$c] = round(bounded(level, z4[$c])) / half_width(level);
  }
  //: end
  return v;
}
