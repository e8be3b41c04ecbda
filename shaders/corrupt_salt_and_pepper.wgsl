// Salt-and-pepper noise: a value becomes 0 or 1, each with probability AMOUNT / 2. Gives: corrupted.

fn corrupted(value: vec4f, u: vec4f, e: vec4f) -> vec4f {
  let peppered = select(value, vec4f(), u < vec4f(0.5 * AMOUNT));
  return select(peppered, vec4f(1.0), u > vec4f(1.0 - 0.5 * AMOUNT));
}
