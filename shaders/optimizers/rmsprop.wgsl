// RMSprop: v = α v + (1 - α) g², step = g / (sqrt(v) + ε). Source: Tieleman and Hinton, lecture 6.5, 2012.
// Needs: buffer square_average of vec4f, const ALPHA, EPSILON. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  let v = ALPHA * square_average[index] + (1.0 - ALPHA) * gradient * gradient;
  square_average[index] = v;
  return gradient / (sqrt(v) + EPSILON);
}
