// Copies a block of 32 x 32 values of an operand into workgroup memory transposed, 4 x 4 values an invocation: (row, column)
// is the place in the transposed operand. Needs: load_$m, tile_$m. Gives: stage_$m.

fn stage_$m(row: u32, column: u32, index: u32) {
  let x = index & 7u;
  let y = index >> 3u;
  let r_0 = load_$m(column + 4u * y, (row >> 2u) + x);
  let r_1 = load_$m(column + 4u * y + 1u, (row >> 2u) + x);
  let r_2 = load_$m(column + 4u * y + 2u, (row >> 2u) + x);
  let r_3 = load_$m(column + 4u * y + 3u, (row >> 2u) + x);
  //: repeat c 0..4
  tile_$m[(4u * x + $cu) * 8u + y] = vec4f(r_0[$c], r_1[$c], r_2[$c], r_3[$c]);
  //: end
}
