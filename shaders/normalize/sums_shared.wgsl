// The sums of a block over all ranks. Needs: Sums of sums.wgsl, buffer norm_sums of vec4f [ALL_BLOCKS, 2]. Gives: sums_in.

fn sums_in(number: u32, block: Block, counted: u32, index: u32) -> Sums {
  return Sums(norm_sums[2u * number], norm_sums[2u * number + 1u]);
}
