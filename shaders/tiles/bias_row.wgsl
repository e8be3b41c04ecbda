// The bias of four columns is a row of the buffer of the second operand. Needs: load4_b, const ROWS_b, ROW_bias.
// Gives: bias_of.

fn bias_of(column4: u32) -> vec4f {
  return load4_b(at(ROWS_b, ROW_bias, column4));
}
