// The second half of the weight gradient of weights_taps.wgsl: adds the chunks of each weight in a fixed order, from where its product
// has it to where the layer has it. The bias has part in every pixel of the fine image, each of which the STRIDE x STRIDE weights from
// PADDING on meet once. A workgroup of 8 x 8 invocations covers 8 rows x 32 columns.
// Needs: store, buffer partial of vec4f, const ROWS_sum, ROWS_partial, ROWS_slice, CHUNKS, ROW_sum_bias, CHANNELS_b, OUTPUTS, KERNEL,
// STRIDE, PADDING. Gives: main.

/// Sum over the chunks of one element.
fn chunks_sum(row: u32, column: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < CHUNKS; i++) {
    sum += partial[at(ROWS_partial, i * ROWS_slice + row, column >> 2u)][column & 3u];
  }
  return sum;
}

/// A weight, or a bias.
fn tap_sum(row: u32, output: u32) -> f32 {
  if (row == ROW_sum_bias) {
    var sum = 0.0;
    for (var i = 0u; i < STRIDE * STRIDE; i++) {
      let tap = (PADDING + i / STRIDE) * KERNEL + PADDING + i % STRIDE;
      sum += chunks_sum(ROWS_slice - 1u, tap * OUTPUTS + output);
    }
    return sum;
  }
  let tap = row / CHANNELS_b;
  if (tap >= KERNEL * KERNEL) {
    return 0.0;
  }
  return chunks_sum(row % CHANNELS_b, tap * OUTPUTS + output);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let row = group.y * 8u + (index >> 3u);
  let column4 = group.x * 8u + (index & 7u);
  if (row < ROWS_sum) {
    var sum = vec4f();
    //: repeat i 0..4
    if (4u * column4 + $iu < OUTPUTS) {
      sum[$i] = tap_sum(row, 4u * column4 + $iu);
    }
    //: end
    store(row, column4, sum);
  }
}
