// Continuous Bernoulli, by its logits l: the density e^(l x) l / (e^l - 1) on [0, 1], so that -log p(x | l) = A(l) - l x with
// A(l) = log((e^l - 1) / l), and the derivative A'(l) - x by l, where A' is the mean. Both are 0 / 0 at l = 0 (λ = 1/2); for
// |l| < 1 their series are summed, to float32's last digits. There is no scale.
// Source: Loaiza-Ganem and Cunningham, arXiv:1907.06845, equations 3 to 6, written for logits.
// Needs: struct Likelihood. Gives: likelihood, mean, drawn.

fn likelihood(location: vec4f, scale: vec4f, x: vec4f) -> Likelihood {
  let size = abs(location);
  // Far out in a branch that is not taken nothing may overflow or divide by 0.
  let near = min(location * location, vec4f(1.0));
  let far = max(size, vec4f(1.0));
  let series = near * (1.0 / 24.0 - near * (1.0 / 2880.0 - near * (1.0 / 181440.0 - near / 9676800.0)));
  let close = location * (0.5 - x) + series;
  let wide = max(location, vec4f()) - location * x + log((1.0 - exp(-far)) / far);
  return Likelihood(select(wide, close, size < vec4f(1.0)), mean(location, scale) - x, vec4f());
}

fn mean(location: vec4f, scale: vec4f) -> vec4f {
  let size = abs(location);
  let near = clamp(location, vec4f(-1.0), vec4f(1.0));
  let square = near * near;
  let series = 1.0 / 12.0 - square * (1.0 / 720.0 - square * (1.0 / 30240.0 - square / 1209600.0));
  let far = max(size, vec4f(1.0));
  let above = 1.0 / (1.0 - exp(-far)) - 1.0 / far;
  let wide = select(1.0 - above, above, location > vec4f());
  return select(wide, 0.5 + near * series, size < vec4f(1.0));
}

/// The inverse of the distribution function, log(1 + u (e^l - 1)) / l; for |l| < 0.01 its first two terms.
fn drawn(location: vec4f, scale: vec4f, uniform4: vec4f) -> vec4f {
  let size = abs(location);
  let far = max(size, vec4f(0.01));
  let above = 1.0 + log(uniform4 + (1.0 - uniform4) * exp(-far)) / far;
  let wide = clamp(select(1.0 - above, above, location > vec4f()), vec4f(), vec4f(1.0));
  return select(wide, uniform4 + 0.5 * location * uniform4 * (1.0 - uniform4), size < vec4f(0.01));
}
