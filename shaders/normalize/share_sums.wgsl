// The sums of this rank's rows, to which those of the others are added. Needs: sums.wgsl, valid_pixels, buffer norm_sums of vec4f
// [ALL_BLOCKS, 2]. Gives: in_block.

fn in_block(number: u32, index: u32) {
  let found = sums_of(number, block_of(number), valid_pixels(), index);
  if (index == 0u) {
    norm_sums[2u * number] = found.g;
    norm_sums[2u * number + 1u] = found.product;
  }
}
