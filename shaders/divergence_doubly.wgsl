// log q(z | x) - log p(z) = ½ (z² - ε² - log σ²) of four latent dimensions, with the doubly reparameterized gradient: through z
// only, dlog p/dz - dlog q/dz = -z + ε / σ, and weighted by the row's importance once more than the upstream is.
// Gives: divergence, latent_gradient.

struct LatentGradient {
  mean: vec4f,
  log_variance: vec4f,
}

fn divergence(mean: vec4f, log_variance: vec4f, noise: vec4f) -> vec4f {
  let z = mean + exp(0.5 * log_variance) * noise;
  return 0.5 * (z * z - noise * noise - log_variance);
}

fn latent_gradient(
  value: vec4f,
  importance: f32,
  weight: f32,
  mean: vec4f,
  log_variance: vec4f,
  noise: vec4f,
) -> LatentGradient {
  let deviation = exp(0.5 * log_variance);
  let to_z = importance * (value + weight * (mean + deviation * noise - noise / deviation));
  return LatentGradient(to_z, 0.5 * to_z * deviation * noise);
}
