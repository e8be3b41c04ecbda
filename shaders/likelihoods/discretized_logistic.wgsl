// Discretized logistic, by its location μ and the logarithm of its scale s: the probability that a logistic variable falls into
// the bin of x = k / 255, k = 0 ... 255, a = (x - 1/510 - μ) / s to b = (x + 1/510 - μ) / s; the first bin reaches down to -∞
// and the last up to ∞. As a product, σ(b) - σ(a) = σ(b) σ(-a) (1 - e^(a - b)), no digits cancel:
//
//     -log P = softplus(-b) + softplus(a) - log(1 - e^-w),  w = b - a = 1 / (255 s)
//
// without the second and third part in the first bin, without the first and third in the last. By μ: (σ(-b) - σ(a)) / s;
// by log s: b σ(-b) - a σ(a) + w / (e^w - 1).
// Source: Kingma et al., arXiv:1606.04934, appendix C; Salimans et al., arXiv:1701.05517, equation 2.
// Needs: struct Likelihood. Gives: likelihood, mean, drawn.

fn logistic(v: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(v, vec4f(-80.0), vec4f(80.0))));
}

fn log_one_plus_exp(v: vec4f) -> vec4f {
  return max(v, vec4f()) + log(1.0 + exp(-abs(v)));
}

fn likelihood(location: vec4f, scale: vec4f, x: vec4f) -> Likelihood {
  let inverse = exp(-scale);
  let above = (x - location + 1.0 / 510.0) * inverse;
  let below = (x - location - 1.0 / 510.0) * inverse;
  let width = inverse / 255.0;
  let first = x < vec4f(0.5 / 255.0);
  let last = x > vec4f(254.5 / 255.0);
  // 1 - e^-w and e^w - 1 have few digits left where w is small.
  let narrow = width < vec4f(0.1);
  let near = min(width, vec4f(0.1));
  let log_mass = select(
    log(1.0 - exp(-max(width, vec4f(0.1)))),
    -5.541263545158426 - scale - near * (0.5 - near / 24.0),
    narrow
  );
  let mass_slope = select(
    width / (exp(min(width, vec4f(80.0))) - 1.0 + select(vec4f(), vec4f(1.0), narrow)),
    1.0 - near * (0.5 - near / 12.0),
    narrow
  );
  let outer = first | last;
  let each = select(log_one_plus_exp(-above), vec4f(), last) + select(log_one_plus_exp(below), vec4f(), first) -
    select(log_mass, vec4f(), outer);
  let tail_above = select(logistic(-above), vec4f(), last);
  let tail_below = select(logistic(below), vec4f(), first);
  return Likelihood(
    each,
    (tail_above - tail_below) * inverse,
    above * tail_above - below * tail_below + select(mass_slope, vec4f(), outer)
  );
}

/// Of the bins: the sum over k = 1 ... 255 of the probability to lie in bin k or above, over 255.
fn mean(location: vec4f, scale: vec4f) -> vec4f {
  let inverse = exp(-scale);
  var sum = vec4f();
  for (var k = 1u; k < 256u; k++) {
    sum += logistic((location - (f32(k) - 0.5) / 255.0) * inverse);
  }
  return sum / 255.0;
}

/// The bin that the inverse of the distribution function, μ + s log(u / (1 - u)), falls into.
fn drawn(location: vec4f, scale: vec4f, uniform4: vec4f) -> vec4f {
  let value = location + exp(scale) * log(uniform4 / (1.0 - uniform4));
  return round(255.0 * clamp(value, vec4f(), vec4f(1.0))) / 255.0;
}
