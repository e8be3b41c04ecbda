// The bias of four columns is a row of the second operand. Needs: load_b, const ROW_bias. Gives: bias_of.

fn bias_of(column4: u32) -> vec4f {
  return load_b(ROW_bias, column4);
}
