// From dL/dz and the upstream of the divergence to the gradients of both Gaussians: z = m + w δ + σ ε, log σ² = log s² - log(1 + e^r),
// r = log s² - log σ̂². A dimension whose divergence lies below the free bits has no gradient from `floored`.
// Needs: product_at, deviation_of, divergence, slopes_of, noise_at, statistic, upstream_kl, upstream_floored, buffers to_found and to_prior
// of f32, const ROWS_to_found, ROWS_to_prior, LATENTS, BLOCK, float FREE_BITS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  if (4u * column4 < LATENTS) {
    let p = product_at(row, column4);
    let noise = noise_at(row, column4);
    let above = divergence(p, noise) >= vec4f(FREE_BITS);
    let weight = upstream_kl(row) + select(vec4f(), vec4f(upstream_floored(row)), above);
    let slopes = slopes_of(p, noise);
    let to_z = value + weight * slopes.to_z;
    let to_apart = p.share * to_z + weight * slopes.to_apart;
    let to_log_variance = 0.5 * to_z * deviation_of(p) * noise;
    let to_ratio = p.share * ((1.0 - p.share) * p.apart * to_z - to_log_variance) + weight * slopes.to_ratio;
    let found_mean = to_apart;
    let found_log_variance = -to_ratio * p.found_within;
    let prior_mean = to_z + weight * slopes.to_prior_mean - to_apart;
    let prior_log_variance = (to_ratio + to_log_variance + weight * slopes.to_log_variance) * p.prior_within;
    //: repeat c 0..4
    if (4u * column4 + $cu < LATENTS) {
      let first = statistic(4u * column4 + $cu);
      to_found[at_scalar(ROWS_to_found, row, first)] = found_mean[$c];
      to_found[at_scalar(ROWS_to_found, row, first + BLOCK)] = found_log_variance[$c];
      to_prior[at_scalar(ROWS_to_prior, row, first)] = prior_mean[$c];
      to_prior[at_scalar(ROWS_to_prior, row, first + BLOCK)] = prior_log_variance[$c];
    }
    //: end
  }
}
