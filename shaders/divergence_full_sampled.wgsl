// One latent dimension's part of log q(z | x) - log p(z) at the draw z = μ + L ε: ½ (zᵢ² - εᵢ² - log Lᵢᵢ²); and its derivatives: all but
// that of log Lᵢᵢ² come through z. Gives: divergence_of, through_z, mean_part, factor_part, deviation_part.

fn divergence_of(squares: f32, mean: f32, z: f32, noise: f32, log_variance: f32) -> f32 {
  return 0.5 * (z * z - noise * noise - log_variance);
}

fn through_z(z: f32) -> f32 {
  return z;
}

fn mean_part(mean: f32) -> f32 {
  return 0.0;
}

fn factor_part(l: f32) -> f32 {
  return 0.0;
}

fn deviation_part(deviation: f32) -> f32 {
  return -1.0;
}
