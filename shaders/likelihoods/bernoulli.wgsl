// Bernoulli, by its logits l: -log p(x | l) = max(l, 0) - l x + log(1 + exp(-|l|)), with the derivative sigmoid(l) - x by l:
// exact for every l, where a logarithm of probabilities is not. There is no scale.
// Needs: struct Likelihood. Gives: likelihood, mean, drawn.

fn likelihood(location: vec4f, scale: vec4f, x: vec4f) -> Likelihood {
  let small = exp(-abs(location));
  let mean = select(small, vec4f(1.0), location >= vec4f()) / (1.0 + small);
  return Likelihood(max(location, vec4f()) - location * x + log(1.0 + small), mean - x, vec4f());
}

fn mean(location: vec4f, scale: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(location, vec4f(-80.0), vec4f(80.0))));
}

/// 1 where the uniform lies below the mean.
fn drawn(location: vec4f, scale: vec4f, uniform4: vec4f) -> vec4f {
  return select(vec4f(), vec4f(1.0), uniform4 < mean(location, scale));
}
