// Adam: m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², step = c1 m / (sqrt(c2 v) + ε), with c = 1 / (1 - βᵗ), or 1 without bias
// correction. Source: Kingma and Ba, arXiv:1412.6980.
// Needs: buffers first_moment, second_moment of vec4f, state; const BETA1, BETA2, EPSILON. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  let m = BETA1 * first_moment[index] + (1.0 - BETA1) * gradient;
  let v = BETA2 * second_moment[index] + (1.0 - BETA2) * gradient * gradient;
  first_moment[index] = m;
  second_moment[index] = v;
  return scalar($scalars) * m / (sqrt(scalar($scalars + 1u) * v) + EPSILON);
}
