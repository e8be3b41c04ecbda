// RMSprop: v = α v + (1 - α) g², w -= lr (g / (sqrt(v) + ε) + λ w). Source: Tieleman and Hinton, lecture 6.5, 2012.
// Needs: word4_before (the parameter before the step), buffers parameter, square_average of vec4f, state; const ROWS_parameter, OPTIMIZER, ALPHA, EPSILON, WEIGHT_DECAY.
// Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_parameter, row, column4);
  let v = ALPHA * square_average[index] + (1.0 - ALPHA) * gradient * gradient;
  let w = word4_before(index);
  square_average[index] = v;
  parameter[index] = w - scalar(OPTIMIZER) * (gradient / (sqrt(v) + EPSILON) + WEIGHT_DECAY * w);
}
