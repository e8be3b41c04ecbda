// The second half of the weight gradient of weight_blocks.wgsl: each weight has a part wherever it stands in the windows of a
// block, in each chunk; all are added in a fixed order. A workgroup of 8 x 8 invocations covers 8 rows x 32 columns.
// Needs: store, buffer partial of vec4f, const ROWS_sum, ROWS_partial, ROWS_slice, CHUNKS, ROW_sum_bias, CHANNELS_b, GROUPS4_b,
// KERNEL (of windows), BLOCK, OUTPUTS, SHIFT, SPACING, SIDE. Gives: main.

/// Sum over the chunks of one element.
fn chunks_sum(row: u32, column: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < CHUNKS; i++) {
    sum += partial[at(ROWS_partial, i * ROWS_slice + row, column >> 2u)][column & 3u];
  }
  return sum;
}

/// A weight, or a bias, from all of its places in a block.
fn places_sum(row: u32, output: u32) -> f32 {
  let weight = vec2u(row / CHANNELS_b / SIDE, row / CHANNELS_b % SIDE);
  var sum = 0.0;
  for (var i = 0u; i < BLOCK * BLOCK; i++) {
    let place = vec2u(i / BLOCK, i % BLOCK);
    let column = i * OUTPUTS + output;
    if (row == ROW_sum_bias) {
      sum += chunks_sum(ROWS_slice - 1u, column);
    } else {
      let distance = place + SHIFT - weight;
      let tap = distance / SPACING;
      if (all(distance % SPACING == vec2u()) && all(tap < vec2u(KERNEL)) && weight.x < SIDE) {
        sum += chunks_sum((tap.x * KERNEL + tap.y) * 4u * GROUPS4_b + row % CHANNELS_b, column);
      }
    }
  }
  return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let row = group.y * 8u + (index >> 3u);
  let column4 = group.x * 8u + (index & 7u);
  if (row < ROWS_sum) {
    var sum = vec4f();
    //: repeat i 0..4
    if (4u * column4 + $iu < OUTPUTS) {
      sum[$i] = places_sum(row, 4u * column4 + $iu);
    }
    //: end
    store(row, column4, sum);
  }
}
