// y = x Φ(x), y' = Φ(x) + x φ(x), exact: Φ(x) = (1 + erf(x / √2)) / 2. From x, which y does not give back.
// erf by Abramowitz and Stegun's rational approximation 7.1.26, |error| <= 1.5e-7.

fn normal_distribution(x: vec4f) -> vec4f {
  let a = abs(x) * 0.7071067811865476;
  let t = 1.0 / (1.0 + 0.3275911 * a);
  let tail = 0.5 * t * exp(-a * a) *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return select(tail, 1.0 - tail, x > vec4f());
}

fn activation(x: vec4f) -> vec4f {
  return x * normal_distribution(x);
}

fn derivative(x: vec4f) -> vec4f {
  return normal_distribution(x) + x * 0.3989422804014327 * exp(-0.5 * x * x);
}
