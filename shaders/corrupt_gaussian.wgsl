// Gaussian noise of standard deviation AMOUNT is added. Gives: corrupted.

fn corrupted(value: vec4f, u: vec4f, e: vec4f) -> vec4f {
  return value + AMOUNT * e;
}
