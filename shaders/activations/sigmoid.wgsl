// y = 1 / (1 + exp(-x)), y' = y (1 - y)

fn activation(x: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0))));
}

fn derivative(y: vec4f) -> vec4f {
  return y * (1.0 - y);
}
