// Loader: y = f(x, ...); zero in the padding, where f may have no value. Needs: elementwise_value, load_operand_i of each input, const
// ROWS_elementwise, COLUMNS_elementwise. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let y = elementwise_value($loads);
  return select(vec4f(), y, vec4<bool>(row < ROWS_elementwise) & columns_below(COLUMNS_elementwise, column4));
}
