// y = x where x > 0, else x / 100

fn activation(x: vec4f) -> vec4f {
  return select(0.01 * x, x, x > vec4f());
}

fn derivative(y: vec4f) -> vec4f {
  return select(vec4f(0.01), vec4f(1.0), y > vec4f());
}
