// One update of four values of a parameter: w -= step, where the rules make the step of the gradient. $step is an expression of
// gradient, weight and index, and $after are statements on updated and index.
// Needs: at, load4_before (the parameter before the update), buffer parameter of vec4f, const ROWS_parameter. Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_parameter, row, column4);
  let weight = load4_before(index);
  let updated = weight - $step;
  parameter[index] = updated;
  $after
}
