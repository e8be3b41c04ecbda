// log q(z | x) - log p(z) = ½ (z² - ε² - log σ²) of four latent dimensions at the draw z = μ + σ ε. Gives: divergence.

fn divergence(mean: vec4f, log_variance: vec4f, noise: vec4f) -> vec4f {
  let z = mean + exp(0.5 * log_variance) * noise;
  return 0.5 * (z * z - noise * noise - log_variance);
}
