// y = max(x, 0), y' = 1 where y > 0, else 0

fn activation(x: vec4f) -> vec4f {
  return max(x, vec4f());
}

fn derivative(y: vec4f) -> vec4f {
  return select(vec4f(), vec4f(1.0), y > vec4f());
}
