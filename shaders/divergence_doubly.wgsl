// log q(z | x) - log p(z) = ½ (z² - ε² - log σ²) of four latent dimensions, with the doubly reparameterized gradient: through z
// only, dlog p/dz - dlog q/dz = -z + ε / σ, and weighted by the row's importance once more than the upstream is.
// Needs: LatentGradient, upstream_kl, importance_kl. Gives: latent_gradient.

fn latent_gradient(row: u32, value: vec4f, mean: vec4f, log_variance: vec4f, noise: vec4f) -> LatentGradient {
  let weight = upstream_kl(row);
  let deviation = exp(0.5 * log_variance);
  let to_z = importance_kl(row) * (value + weight * (mean + deviation * noise - noise / deviation));
  return LatentGradient(to_z, 0.5 * to_z * deviation * noise);
}
