// dL/da = dL/dy f'(a), where `saved` holds what f' is computed from: y or a.
// Needs: derivative, buffers saved and gradient of vec4f, const ROWS_gradient. Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  let index = at(ROWS_gradient, row, column4);
  gradient[index] = value * derivative(saved[index]);
}
