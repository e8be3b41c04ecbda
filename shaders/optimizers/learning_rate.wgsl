// step times the learning rate. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  return scalar($scalars) * gradient;
}
