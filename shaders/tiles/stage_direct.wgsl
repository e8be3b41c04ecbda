// Copies a block of an operand into workgroup memory as it lies: $each times as many vectors as there are invocations, $wide in
// a row. Needs: load_$m, tile_$m, const INVOCATIONS. Gives: stage_$m.

fn stage_$m(row: u32, column: u32, index: u32) {
  //: repeat i 0..$each
  {
    let place = index + INVOCATIONS * $iu;
    tile_$m[place / $wideu][place % $wideu] = load_$m(row + place / $wideu, (column >> 2u) + place % $wideu);
  }
  //: end
}
