// A Gaussian with the covariance diag(σ²) + W Wᵀ, of which log σ² is kept between bounds and W = FACTOR times what is given.
// Needs: at_scalar, bounded, buffers location, scale and factors of f32; const STORED (rows), FEATURES, RANK, FACTOR. Gives: mean_at,
// log_variance_at, factor_at.

fn mean_at(row: u32, d: u32) -> f32 {
  return location[at_scalar(STORED, row, d)];
}

fn log_variance_at(row: u32, d: u32) -> Scale {
  return bounded(vec4f(scale[at_scalar(STORED, row, d)]));
}

fn factor_at(row: u32, d: u32, r: u32) -> f32 {
  return FACTOR * factors[at_scalar(STORED, row, d * RANK + r)];
}
