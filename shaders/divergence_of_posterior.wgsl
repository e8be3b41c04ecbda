// KL(N(μ, σ²) ‖ N(0, 1)) = ½ (σ² + μ² - 1 - log σ²) of four latent dimensions. Gives: divergence.

fn divergence(mean: vec4f, log_variance: vec4f, noise: vec4f) -> vec4f {
  return 0.5 * (exp(log_variance) + mean * mean - 1.0 - log_variance);
}
