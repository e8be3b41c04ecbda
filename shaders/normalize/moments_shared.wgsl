// The moments of a block over all ranks, which have as many rows each: of their means m and squares s, mean(m) and
// Σ s + n Σ (m - mean(m))². Needs: Moments of moments.wgsl, buffer norm_shares of vec4f [RANKS, ALL_BLOCKS, 2], const RANKS, ALL_BLOCKS,
// SET_CHANNELS. Gives: moments_in.

fn moments_in(number: u32, block: Block, counted: u32, index: u32) -> Moments {
  var mean = vec4f();
  for (var r = 0u; r < RANKS; r++) {
    mean += norm_shares[2u * (r * ALL_BLOCKS + number)];
  }
  mean /= f32(RANKS);
  var squares = vec4f();
  for (var r = 0u; r < RANKS; r++) {
    let place = 2u * (r * ALL_BLOCKS + number);
    let away = norm_shares[place] - mean;
    squares += norm_shares[place + 1u] + f32(counted * SET_CHANNELS) * (away * away);
  }
  return Moments(mean, squares);
}
