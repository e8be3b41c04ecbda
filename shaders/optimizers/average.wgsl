// An exponential moving average of the weights: a += (1 - d) / (1 - dᵗ) (w - a), the mean of all weights so far, weighted by d to the
// power of their age. Source: Polyak and Juditsky, SIAM J. Control Optim. 30, 1992; the correction as in Kingma and Ba, arXiv:1412.6980,
// section 7.2. Needs: buffer weights of vec4f, const SHARE (1 - d). Gives: $rule.

fn $rule(weight: vec4f, index: u32) {
  let average = weights[index];
  weights[index] = average + SHARE * scalar($scalars) * (weight - average);
}
