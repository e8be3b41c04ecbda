// log q(z) - log p(z) = ½ ((z - m)²/s² - ε² + log(1 + e^r)) of four latent dimensions of a product at the draw z = μ + σ ε, and its
// derivatives: by z, by m, by r and by log s² beside them. Needs: Product, deviation_of. Gives: DivergenceSlopes, divergence, slopes_of.

struct DivergenceSlopes {
  to_z: vec4f,
  to_prior_mean: vec4f,
  to_apart: vec4f,
  to_ratio: vec4f,
  to_log_variance: vec4f,
}

/// (z - m) / s
fn standardized(p: Product, noise: vec4f) -> vec4f {
  return (p.share * p.apart + deviation_of(p) * noise) * exp(-0.5 * p.prior_log_variance);
}

fn divergence(p: Product, noise: vec4f) -> vec4f {
  let e = standardized(p, noise);
  return 0.5 * (e * e - noise * noise + p.sharpened);
}

fn slopes_of(p: Product, noise: vec4f) -> DivergenceSlopes {
  let e = standardized(p, noise);
  let to_z = e * exp(-0.5 * p.prior_log_variance);
  return DivergenceSlopes(to_z, -to_z, vec4f(), 0.5 * p.share, -0.5 * e * e);
}
