// Gradient descent with momentum: v = μ v + g, w -= lr (v + λ w). Source: Sutskever et al., ICML 2013, in PyTorch's form.
// Needs: word4_before (the parameter before the step), buffers parameter, velocity of vec4f, state; const ROWS_parameter, OPTIMIZER, MOMENTUM, WEIGHT_DECAY. Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_parameter, row, column4);
  let v = MOMENTUM * velocity[index] + gradient;
  let w = word4_before(index);
  velocity[index] = v;
  parameter[index] = w - scalar(OPTIMIZER) * (v + WEIGHT_DECAY * w);
}
