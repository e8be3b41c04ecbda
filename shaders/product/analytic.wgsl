// KL(N(μ, σ²) ‖ N(m, s²)) = ½ (log(1 + e^r) - w + w² δ²/s²) of four latent dimensions of a product, and its derivatives: by δ, by r, by
// log s² beside them, and none by z. Needs: Product. Gives: DivergenceSlopes, divergence, slopes_of.

struct DivergenceSlopes {
  to_z: vec4f,
  to_prior_mean: vec4f,
  to_apart: vec4f,
  to_ratio: vec4f,
  to_log_variance: vec4f,
}

fn divergence(p: Product, noise: vec4f) -> vec4f {
  let square = p.share * p.share * p.apart * p.apart * exp(-p.prior_log_variance);
  return 0.5 * (p.sharpened - p.share + square);
}

fn slopes_of(p: Product, noise: vec4f) -> DivergenceSlopes {
  let inverse = exp(-p.prior_log_variance);
  let square = p.share * p.share * inverse;
  return DivergenceSlopes(
    vec4f(),
    vec4f(),
    square * p.apart,
    p.share * p.share * (0.5 + (1.0 - p.share) * p.apart * p.apart * inverse),
    -0.5 * square * p.apart * p.apart,
  );
}
