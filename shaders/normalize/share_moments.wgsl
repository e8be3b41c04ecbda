// The moments of this rank's rows, in its place among those of all, where the others' are 0 until they are added up. Needs: moments.wgsl,
// valid_pixels, buffer norm_shares of vec4f [RANKS, ALL_BLOCKS, 2], const RANK, RANKS, ALL_BLOCKS. Gives: in_block.

fn in_block(number: u32, index: u32) {
  let found = moments_of(block_of(number), valid_pixels(), index);
  if (index == 0u) {
    for (var r = 0u; r < RANKS; r++) {
      let place = 2u * (r * ALL_BLOCKS + number);
      norm_shares[place] = select(vec4f(), found.mean, r == RANK);
      norm_shares[place + 1u] = select(vec4f(), found.squares, r == RANK);
    }
  }
}
