// From dL/dz and the weight w of the KL term: dL/dμ = dL/dz + w μ, dL/dlog σ² = ½ (dL/dz σ ε + w (σ² - 1)).
// Needs: mean_at, log_variance_at, within, noise_at, upstream_kl, buffer gradient of f32, const ROWS_gradient, LATENTS.
// Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  if (4u * column4 < LATENTS) {
    let mean = mean_at(row, column4);
    let log_variance = log_variance_at(row, column4);
    let weight = upstream_kl(row);
    let deviation = exp(0.5 * log_variance);
    let to_mean = value + weight * mean;
    let to_log_variance = 0.5 * within(row, column4) *
      (value * deviation * noise_at(row, column4) + weight * (deviation * deviation - 1.0));
    //: repeat c 0..4
    if (4u * column4 + $cu < LATENTS) {
      gradient[at_scalar(ROWS_gradient, row, 4u * column4 + $cu)] = to_mean[$c];
      gradient[at_scalar(ROWS_gradient, row, LATENTS + 4u * column4 + $cu)] = to_log_variance[$c];
    }
    //: end
  }
}
