// y = tanh(x), y' = 1 - y². The argument is clamped where float32 tanh is 1 anyway: SwiftShader gives NaN beyond 88
// (measured in Chromium 156; no public issue is known).

fn activation(x: vec4f) -> vec4f {
  return tanh(clamp(x, vec4f(-20.0), vec4f(20.0)));
}

fn derivative(y: vec4f) -> vec4f {
  return 1.0 - y * y;
}
