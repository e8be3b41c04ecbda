// Gaussian, by its mean μ (location) and v = log σ² (scale): -log p(x | μ, v) = ½ (log 2π + v + (x - μ)² e^-v), with the
// derivatives (μ - x) e^-v by μ and ½ (1 - (x - μ)² e^-v) by v.
// Needs: struct Likelihood. Gives: likelihood, mean, drawn, quantile.

fn likelihood(location: vec4f, scale: vec4f, x: vec4f) -> Likelihood {
  let inverse = exp(-scale);
  let apart = location - x;
  let square = apart * apart * inverse;
  return Likelihood(0.5 * (1.8378770664093453 + scale + square), apart * inverse, 0.5 - 0.5 * square);
}

fn mean(location: vec4f, scale: vec4f) -> vec4f {
  return location;
}

fn drawn(location: vec4f, scale: vec4f, normal4: vec4f) -> vec4f {
  return quantile(location, scale, normal4);
}

/// μ + k σ
fn quantile(location: vec4f, scale: vec4f, k: vec4f) -> vec4f {
  return location + exp(0.5 * scale) * k;
}
