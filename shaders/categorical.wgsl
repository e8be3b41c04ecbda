// From a_k = log p(k) + log p(x | k): log p(x) = log Σ exp a_k with the largest taken out, r_k = p(k | x) = exp(a_k - log p(x)), a
// draw z of k as an indicator, KL(r ‖ p) = Σ r_k (log r_k - log p(k)), and nll = -log p(x) - KL. One invocation a row; r is zero
// in rows that are no data, so that sums over rows leave them out.
// Needs: at_scalar, valid_rows, random_uniform, buffers state, logits, prior, probabilities, z, nll, kl of f32; const ROWS, ROWS_prior,
// COMPONENTS, FIRST_categorical, STREAM_categorical. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= ROWS) {
    return;
  }
  var largest = logits[at_scalar(ROWS, row, 0u)];
  for (var k = 1u; k < COMPONENTS; k++) {
    largest = max(largest, logits[at_scalar(ROWS, row, k)]);
  }
  var total = 0.0;
  for (var k = 0u; k < COMPONENTS; k++) {
    total += exp(logits[at_scalar(ROWS, row, k)] - largest);
  }
  let log_total = log(total);
  let u = random_uniform(state.seed, state.step, STREAM_categorical, FIRST_categorical + row).x;
  let valid = select(0.0, 1.0, row < valid_rows());
  var below = 0.0;
  var divergence = 0.0;
  for (var k = 0u; k < COMPONENTS; k++) {
    let log_r = logits[at_scalar(ROWS, row, k)] - largest - log_total;
    let r = exp(log_r);
    let last = k + 1u == COMPONENTS;
    z[at_scalar(ROWS, row, k)] = select(0.0, 1.0, below <= u && (last || u < below + r));
    below = select(below + r, 2.0, u < below + r);
    divergence += select(0.0, r * (log_r - prior[at_scalar(ROWS_prior, 0u, k)]), r > 0.0);
    probabilities[at_scalar(ROWS, row, k)] = r * valid;
  }
  kl[row] = divergence;
  nll[row] = -(largest + log_total) - divergence;
}
