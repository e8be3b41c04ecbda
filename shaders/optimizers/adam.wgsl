// Adam: m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g², w -= lr (c1 m / (sqrt(c2 v) + ε) + λ w), with c = 1 / (1 - βᵗ), or 1
// without bias correction; λ is decoupled weight decay. Source: Kingma and Ba, arXiv:1412.6980; Loshchilov and Hutter,
// arXiv:1711.05101. Needs: word4_before (the parameter before the step), buffers parameter, first_moment, second_moment of vec4f, state; const ROWS_parameter, OPTIMIZER,
// BETA1, BETA2, EPSILON, WEIGHT_DECAY. Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_parameter, row, column4);
  let rate = scalar(OPTIMIZER);
  let m = BETA1 * first_moment[index] + (1.0 - BETA1) * gradient;
  let v = BETA2 * second_moment[index] + (1.0 - BETA2) * gradient * gradient;
  let w = word4_before(index);
  first_moment[index] = m;
  second_moment[index] = v;
  parameter[index] = w - rate *
    (scalar(OPTIMIZER + 1u) * m / (sqrt(scalar(OPTIMIZER + 2u) * v) + EPSILON) + WEIGHT_DECAY * w);
}
