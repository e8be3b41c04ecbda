// y = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), y' = 1 - exp(-y)

fn activation(x: vec4f) -> vec4f {
  return max(x, vec4f()) + log(1.0 + exp(-abs(x)));
}

fn derivative(y: vec4f) -> vec4f {
  return 1.0 - exp(-y);
}
