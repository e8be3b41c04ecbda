// The gradients of the KL and of max(λ, KL) of four latent dimensions joined to that of z: a dimension whose KL lies below the free
// bits λ has none from the latter. Needs: LatentGradient, divergence, upstream_kl, upstream_floored, float FREE_BITS.
// Gives: latent_gradient.

fn latent_gradient(row: u32, value: vec4f, mean: vec4f, log_variance: vec4f, noise: vec4f) -> LatentGradient {
  let deviation = exp(0.5 * log_variance);
  let above = divergence(mean, log_variance, noise) >= vec4f(FREE_BITS);
  let w = upstream_kl(row) + select(vec4f(), vec4f(upstream_floored(row)), above);
  return LatentGradient(
    value + w * mean,
    0.5 * (value * deviation * noise + w * (deviation * deviation - 1.0)),
  );
}
