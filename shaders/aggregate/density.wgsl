// The densities q(z_nk | x_m) of draws under the posteriors of a batch, and the weights by which they add up to an estimate of
// q(z) = 1/N Σ q(z | x) over the N rows of the dataset, from a batch of B: 1 / (N B) each; where STRATIFIED is true 1 / N for the datum
// that z was drawn for, (N - M) / (N M) for one other and 1 / M for the rest, M = B - 1, which has no bias.
// Needs: at_scalar, valid_rows, buffers state, latents and posteriors of f32, const ROWS_latents, ROWS_posteriors, AGGREGATED (K), DRAWS,
// STRATIFIED. Gives: deviation_of, log_variance_of, log_density, log_weight.

/// z_nk - μ_mk
fn deviation_of(n: u32, m: u32, k: u32) -> f32 {
  return latents[at_scalar(ROWS_latents, n, k)] - posteriors[at_scalar(ROWS_posteriors, m, k)];
}

fn log_variance_of(m: u32, k: u32) -> f32 {
  return clamp(posteriors[at_scalar(ROWS_posteriors, m, AGGREGATED + k)], -30.0, 20.0);
}

/// log q(z_nk | x_m)
fn log_density(n: u32, m: u32, k: u32) -> f32 {
  let deviation = deviation_of(n, m, k);
  let log_variance = log_variance_of(m, k);
  return -0.5 * (1.8378770664093453 + log_variance + deviation * deviation * exp(-log_variance));
}

/// The logarithm of the weight of x_m in the estimate for draw n.
fn log_weight(n: u32, m: u32) -> f32 {
  let batch = valid_rows();
  let all = f32(max(state.count, batch));
  if (!STRATIFIED) {
    return -log(all * f32(batch));
  }
  let own = n / DRAWS;
  let others = f32(batch) - 1.0;
  if (batch == 1u) {
    return 0.0;
  }
  if (m == own) {
    return -log(all);
  }
  if (m == (own + 1u) % batch) {
    return log((all - others) / (all * others));
  }
  return -log(others);
}
