// Loader: the gradient de f'(z) / ⌊L / 2⌋ of numbers that became levels, passed straight through the rounding; zero in the padding.
// Needs: level_of, squashed, half_width, load_z, load_de, const ROWS_valid, COLUMNS_valid. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let z4 = load_z(row, column4);
  let de = load_de(row, column4);
  var v = vec4f();
  //: repeat c 0..4
  if (row < ROWS_valid && 4u * column4 + $cu < COLUMNS_valid) {
    let level = level_of(4u * column4 + $cu);
    let y = squashed(level, z4[$c]);
    v[$c] = de[$c] * (1.0 - y * y) * level.x / half_width(level);
  }
  //: end
  return v;
}
