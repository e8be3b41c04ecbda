// log q(z | x) - log p(z) = ½ (z² - ε² - log σ²) of four latent dimensions at the draw z = μ + σ ε, and its gradient joined to
// that of z. Needs: LatentGradient, upstream_kl. Gives: latent_gradient.

fn latent_gradient(row: u32, value: vec4f, mean: vec4f, log_variance: vec4f, noise: vec4f) -> LatentGradient {
  let weight = upstream_kl(row);
  let deviation = exp(0.5 * log_variance);
  let to_z = value + weight * (mean + deviation * noise);
  return LatentGradient(to_z, 0.5 * (to_z * deviation * noise - weight));
}
