// The sums of a block are of this process's rows. Needs: sums.wgsl. Gives: sums_in, RANKS.

const RANKS = 1u;

fn sums_in(number: u32, block: Block, counted: u32, index: u32) -> Sums {
  return sums_of(number, block, counted, index);
}
