// Loader: weights [K K C, OUTPUTS] of a transposed convolution as [C, K K OUTPUTS], a column for each weight of the kernel and each
// output: what a pixel of the coarse image gives to the pixels that it meets.
// Needs: load1_b, const ROWS_b, CHANNELS_b (C), OUTPUTS, KERNEL (K). Gives: load_b.

fn load_b(row: u32, column4: u32) -> vec4f {
  //: repeat i 0..4
  let tap_$i = (4u * column4 + $iu) / OUTPUTS;
  let output_$i = (4u * column4 + $iu) % OUTPUTS;
  let inside_$i = tap_$i < KERNEL * KERNEL && row < CHANNELS_b;
  let index_$i = select(0u, at(ROWS_b, tap_$i * CHANNELS_b + row, output_$i >> 2u), inside_$i);
  let value_$i = select(0.0, load1_b(index_$i, output_$i & 3u), inside_$i);
  //: end
  return vec4f(value_0, value_1, value_2, value_3);
}
