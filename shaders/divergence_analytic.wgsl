// KL(N(μ, σ²) ‖ N(0, 1)) = ½ (σ² + μ² - 1 - log σ²) of four latent dimensions, and its gradient joined to that of z. A dimension
// whose KL lies below the free bits has no gradient from it. Needs: LatentGradient, const FREE_BITS. Gives: divergence, latent_gradient.

fn divergence(mean: vec4f, log_variance: vec4f, noise: vec4f) -> vec4f {
  return 0.5 * (exp(log_variance) + mean * mean - 1.0 - log_variance);
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
  let w = select(vec4f(), vec4f(weight), divergence(mean, log_variance, noise) >= vec4f(FREE_BITS));
  return LatentGradient(
    value + w * mean,
    0.5 * (value * deviation * noise + w * (deviation * deviation - 1.0)),
  );
}
