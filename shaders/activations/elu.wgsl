// y = x where x > 0, else exp(x) - 1; y' = 1 where y > 0, else y + 1

fn activation(x: vec4f) -> vec4f {
  return select(exp(min(x, vec4f())) - 1.0, x, x > vec4f());
}

fn derivative(y: vec4f) -> vec4f {
  return select(y + 1.0, vec4f(1.0), y > vec4f());
}
