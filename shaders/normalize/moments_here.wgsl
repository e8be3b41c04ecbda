// The moments of a block are of this process's rows. Needs: moments.wgsl. Gives: moments_in, RANKS.

const RANKS = 1u;

fn moments_in(number: u32, block: Block, counted: u32, index: u32) -> Moments {
  return moments_of(block, counted, index);
}
