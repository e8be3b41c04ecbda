// Copies a block of an operand into workgroup memory transposed, 4 x 4 values an invocation, for $squares of the invocations:
// (row, column) is the place in the transposed operand, where a row of the block has $wide vectors. Invocations beside one
// another write beside one another, so that each bank of workgroup memory is written once, and read a piece of 16 bytes of rows
// that are 128 bytes apart.
// Needs: load_$m, tile_$m. Gives: stage_$m.

fn stage_$m(row: u32, column: u32, index: u32) {
  if (index < $squaresu) {
    let x = index / $wideu;
    let y = index % $wideu;
    let r_0 = load_$m(column + 4u * y, (row >> 2u) + x);
    let r_1 = load_$m(column + 4u * y + 1u, (row >> 2u) + x);
    let r_2 = load_$m(column + 4u * y + 2u, (row >> 2u) + x);
    let r_3 = load_$m(column + 4u * y + 3u, (row >> 2u) + x);
    //: repeat c 0..4
    tile_$m[4u * x + $cu][y] = vec4f(r_0[$c], r_1[$c], r_2[$c], r_3[$c]);
    //: end
  }
}
