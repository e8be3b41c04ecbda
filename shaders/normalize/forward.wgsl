// a = gain (x - mean) / sqrt(variance + ε) + offset, mean and variance those of each set: the variance as the mean of squares about the
// mean, by a second pass over the set. Keeps the mean and 1 / sqrt(variance + ε) of each block's sets.
// Needs: tree_sum, sets.wgsl, valid_pixels, keep_running, load4_norm_x, store, buffers norm_affine and norm_moments of vec4f, const ROWS_norm_x,
// ROWS_norm_affine, ROW_norm_offset, ALL_BLOCKS, ACROSS, EPSILON as f32. Gives: main.

@compute @workgroup_size($invocations)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let number = group.y * ACROSS + group.x;
  if (number < ALL_BLOCKS) {
    let block = block_of(number);
    let counted = valid_pixels();
    let size = f32(counted * SET_CHANNELS);
    var sum = vec4f();
    for (var i = index; i < counted * block.width4; i += $invocationsu) {
      let q = pixel_in(block, i);
      let channel4 = channel4_in(block, i);
      let v = load4_norm_x(at(ROWS_norm_x, row_of(q), column4_of(q, channel4)));
      sum += into_sets(in_channels(v, channel4), channel4);
    }
    let mean = tree_sum(sum, index) / size;
    sum = vec4f();
    for (var i = index; i < counted * block.width4; i += $invocationsu) {
      let q = pixel_in(block, i);
      let channel4 = channel4_in(block, i);
      let v = load4_norm_x(at(ROWS_norm_x, row_of(q), column4_of(q, channel4))) - of_sets(mean, channel4);
      sum += into_sets(in_channels(v * v, channel4), channel4);
    }
    let variance = tree_sum(sum, index) / size;
    let scale = inverseSqrt(variance + EPSILON);
    for (var i = index; i < COUNT * block.width4; i += $invocationsu) {
      let q = pixel_in(block, i);
      let channel4 = channel4_in(block, i);
      let row = row_of(q);
      let column4 = column4_of(q, channel4);
      let v = load4_norm_x(at(ROWS_norm_x, row, column4)) - of_sets(mean, channel4);
      let gain = norm_affine[at(ROWS_norm_affine, 0u, channel4)];
      let offset = norm_affine[at(ROWS_norm_affine, ROW_norm_offset, channel4)];
      store(row, column4, gain * (v * of_sets(scale, channel4)) + offset);
    }
    if (index == 0u) {
      norm_moments[2u * number] = mean;
      norm_moments[2u * number + 1u] = scale;
      keep_running(block.channel4, mean, variance, size);
    }
  }
}
