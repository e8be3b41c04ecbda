// Keeps a gradient that a likelihood forms. Needs: buffer gradient_$m of vec4f, const ROWS_gradient_$m. Gives: backward_$m.

fn backward_$m(row: u32, column4: u32, value: vec4f) {
  gradient_$m[at(ROWS_gradient_$m, row, column4)] = value;
}
