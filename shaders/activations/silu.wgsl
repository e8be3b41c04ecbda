// y = x s with s = 1 / (1 + exp(-x)), y' = s (1 + x (1 - s)): from x, which y does not give back

fn sigmoid(x: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0))));
}

fn activation(x: vec4f) -> vec4f {
  return x * sigmoid(x);
}

fn derivative(x: vec4f) -> vec4f {
  let s = sigmoid(x);
  return s * (1.0 + x * (1.0 - s));
}
