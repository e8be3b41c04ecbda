// One latent dimension's part of KL(N(μ, L Lᵀ) ‖ N(0, I)): ½ (Σⱼ Lᵢⱼ² + μᵢ² - 1 - log Lᵢᵢ²); and its derivatives, which are joined to
// those that come through z. Gives: divergence_of, through_z, mean_part, factor_part, deviation_part.

fn divergence_of(squares: f32, mean: f32, z: f32, noise: f32, log_variance: f32) -> f32 {
  return 0.5 * (squares + mean * mean - 1.0 - log_variance);
}

/// What the divergence adds to dz, weighted.
fn through_z(z: f32) -> f32 {
  return 0.0;
}

/// What it adds to dμᵢ.
fn mean_part(mean: f32) -> f32 {
  return mean;
}

/// What it adds to dLᵢⱼ, j < i.
fn factor_part(l: f32) -> f32 {
  return l;
}

/// What it adds to 2 dlog Lᵢᵢ².
fn deviation_part(deviation: f32) -> f32 {
  return deviation * deviation - 1.0;
}
