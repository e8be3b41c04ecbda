// Masking noise: a value becomes 0 with probability AMOUNT. Gives: corrupted.

fn corrupted(value: vec4f, u: vec4f, e: vec4f) -> vec4f {
  return select(value, vec4f(), u < vec4f(AMOUNT));
}
