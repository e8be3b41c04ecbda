// Adagrad: s += g², step = g / (sqrt(s) + ε). Source: Duchi, Hazan and Singer, JMLR 12, 2011.
// Needs: buffer square_sum of vec4f, const EPSILON. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  let s = square_sum[index] + gradient * gradient;
  square_sum[index] = s;
  return gradient / (sqrt(s) + EPSILON);
}
