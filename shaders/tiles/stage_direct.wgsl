// Copies a block of 32 x 32 values of an operand into workgroup memory as it lies. Needs: load_$m, tile_$m. Gives: stage_$m.

fn stage_$m(row: u32, column: u32, index: u32) {
  //: repeat i 0..4
  tile_$m[index + 64u * $iu] = load_$m(row + (index >> 3u) + 8u * $iu, (column >> 2u) + (index & 7u));
  //: end
}
