// Loader: dx = dy ∂f/∂x; zero in the padding, where the derivative may have no value. Needs: elementwise_value, elementwise_derivative,
// load_dy, load_operand_i of each input, const ROWS_elementwise, COLUMNS_elementwise. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let slope = elementwise_derivative($loads, elementwise_value($loads));
  let dx = load_dy(row, column4) * slope;
  return select(vec4f(), dx, vec4<bool>(row < ROWS_elementwise) & columns_below(COLUMNS_elementwise, column4));
}
