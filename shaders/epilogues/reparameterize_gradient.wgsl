// From dL/dz and the upstream of the divergence to the gradients of μ and of log σ².
// Needs: mean_at, log_variance_at, within, noise_at, latent_gradient, buffer gradient of f32, const ROWS_gradient, LATENTS.
// Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  if (4u * column4 < LATENTS) {
    let mean = mean_at(row, column4);
    let log_variance = log_variance_at(row, column4);
    let to = latent_gradient(row, value, mean, log_variance, noise_at(row, column4));
    let to_log_variance = to.log_variance * within(row, column4);
    //: repeat c 0..4
    if (4u * column4 + $cu < LATENTS) {
      gradient[at_scalar(ROWS_gradient, row, 4u * column4 + $cu)] = to.mean[$c];
      gradient[at_scalar(ROWS_gradient, row, LATENTS + 4u * column4 + $cu)] = to_log_variance[$c];
    }
    //: end
  }
}
