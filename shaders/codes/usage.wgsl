// The moving average of how often each code is used, N_k = γ N_k + (1 - γ) n_k, and which codes are dead: below DEAD. A dead code gets
// a row of this batch, drawn at random, and an even share of the usage. Then the sizes of the clusters, smoothed after Laplace:
// (N_k + ε) / (Σ N + K ε) Σ N. One workgroup, sums in a fixed order.
// Needs: tree_sum, random_bits, at_scalar, buffers state, left (whose row ROW_left holds n_k), usage, sizes of f32, origins of u32; const
// ROWS_left, ROW_left, ROWS_usage, ROW_usage, CODES, CODED, STREAM_revival, NONE, and DECAY, DEAD, SMOOTHING as f32. Gives: main.

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) index: u32) {
  let even = f32(CODED) / f32(CODES);
  var sum = 0.0;
  for (var k = index; k < CODES; k += 256u) {
    let place = at_scalar(ROWS_usage, ROW_usage, k);
    let used = DECAY * usage[place] + (1.0 - DECAY) * left[at_scalar(ROWS_left, ROW_left, k)];
    let dead = used < DEAD;
    let average = select(used, even, dead);
    origins[k] = select(NONE, random_bits(state.seed, state.step, STREAM_revival, k).x % CODED, dead);
    usage[place] = average;
    sum += average;
  }
  let total = tree_sum(sum, index);
  for (var k = index; k < CODES; k += 256u) {
    let average = usage[at_scalar(ROWS_usage, ROW_usage, k)];
    sizes[k] = (average + SMOOTHING) / (total + f32(CODES) * SMOOTHING) * total;
  }
}
