// Keeps the gradient that a likelihood forms. Needs: buffer gradient of vec4f, const ROWS_gradient. Gives: backward.

fn backward(row: u32, column4: u32, value: vec4f) {
  gradient[at(ROWS_gradient, row, column4)] = value;
}
