// Adagrad: s += g², w -= lr (g / (sqrt(s) + ε) + λ w). Source: Duchi, Hazan and Singer, JMLR 12, 2011.
// Needs: word4_before (the parameter before the step), buffers parameter, square_sum of vec4f, state; const ROWS_parameter, OPTIMIZER, EPSILON, WEIGHT_DECAY. Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_parameter, row, column4);
  let s = square_sum[index] + gradient * gradient;
  let w = word4_before(index);
  square_sum[index] = s;
  parameter[index] = w - scalar(OPTIMIZER) * (gradient / (sqrt(s) + EPSILON) + WEIGHT_DECAY * w);
}
