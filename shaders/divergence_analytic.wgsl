// The gradient of the KL of four latent dimensions joined to that of z. A KL that rounding makes negative has none.
// Needs: LatentGradient, divergence, upstream_kl. Gives: latent_gradient.

fn latent_gradient(row: u32, value: vec4f, mean: vec4f, log_variance: vec4f, noise: vec4f) -> LatentGradient {
  let deviation = exp(0.5 * log_variance);
  let w = select(vec4f(), vec4f(upstream_kl(row)), divergence(mean, log_variance, noise) >= vec4f(0.0));
  return LatentGradient(
    value + w * mean,
    0.5 * (value * deviation * noise + w * (deviation * deviation - 1.0)),
  );
}
