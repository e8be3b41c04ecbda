// Loader: the weights of weight_blocks.wgsl as the operand that an input gradient turns: a row for each channel, a column for each
// pixel of a window in its phase and each output of a block.
// Needs: weight_of, tap_of, const KERNEL (of windows), GROUPS4_b (of outputs of a block). Gives: load_b.

fn load_b(row: u32, column4: u32) -> vec4f {
  let tap = tap_of(column4 / GROUPS4_b);
  let column = 4u * (column4 % GROUPS4_b);
  let values = vec4f(
    weight_of(tap, row, column),
    weight_of(tap, row, column + 1u),
    weight_of(tap, row, column + 2u),
    weight_of(tap, row, column + 3u),
  );
  return select(vec4f(), values, tap.x < KERNEL && tap.y < KERNEL);
}
