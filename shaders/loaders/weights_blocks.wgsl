// Loader: the weights of weight_blocks.wgsl as the second operand of the product that forms blocks.
// Needs: weight_of, buffer b of vec4f, const ROWS_b, ROW_bias_b, OUTPUTS, KERNEL (of windows), GROUPS4_b (of channels).
// Gives: load_b, bias_of.

fn load_b(row: u32, column4: u32) -> vec4f {
  let number = (row >> 2u) / GROUPS4_b;
  let tap = vec2u(number / KERNEL, number % KERNEL);
  let channel = row % (4u * GROUPS4_b);
  return vec4f(
    weight_of(tap, channel, 4u * column4),
    weight_of(tap, channel, 4u * column4 + 1u),
    weight_of(tap, channel, 4u * column4 + 2u),
    weight_of(tap, channel, 4u * column4 + 3u),
  );
}

fn bias_of(column4: u32) -> vec4f {
  let output = (4u * column4 + vec4u(0u, 1u, 2u, 3u)) % OUTPUTS;
  return vec4f(
    b[at(ROWS_b, ROW_bias_b, output.x >> 2u)][output.x & 3u],
    b[at(ROWS_b, ROW_bias_b, output.y >> 2u)][output.y & 3u],
    b[at(ROWS_b, ROW_bias_b, output.z >> 2u)][output.z & 3u],
    b[at(ROWS_b, ROW_bias_b, output.w >> 2u)][output.w & 3u],
  );
}
