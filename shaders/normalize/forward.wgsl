// a = gain (x - mean) / sqrt(variance + ε) + offset, mean and variance those of each set: the variance as the mean of squares about the
// mean, by a second pass over the set. Keeps the mean and 1 / sqrt(variance + ε) of each block's sets.
// Needs: tree_sum, sets.wgsl, valid_pixels, keep_running, store, buffers norm_affine and norm_moments of vec4f, const ROWS_norm_affine,
// ROW_norm_offset, EPSILON as f32. Gives: in_block.

fn in_block(number: u32, index: u32) {
  let block = block_of(number);
  let counted = valid_pixels();
  let size = f32(counted * SET_CHANNELS);
  var sum = vec4f();
  for (var i = index; i < counted * block.width4; i += $invocationsu) {
    let channel4 = channel4_in(block, i);
    let v = x_of(pixel_in(block, i), channel4);
    sum += into_sets(in_channels(v, channel4), channel4);
  }
  let mean = tree_sum(sum, index) / size;
  sum = vec4f();
  for (var i = index; i < counted * block.width4; i += $invocationsu) {
    let channel4 = channel4_in(block, i);
    let v = x_of(pixel_in(block, i), channel4) - of_sets(mean, channel4);
    sum += into_sets(in_channels(v * v, channel4), channel4);
  }
  let variance = tree_sum(sum, index) / size;
  let scale = inverseSqrt(variance + EPSILON);
  for (var i = index; i < COUNT * block.width4; i += $invocationsu) {
    let q = pixel_in(block, i);
    let channel4 = channel4_in(block, i);
    let v = x_of(q, channel4) - of_sets(mean, channel4);
    let gain = norm_affine[at(ROWS_norm_affine, 0u, channel4)];
    let offset = norm_affine[at(ROWS_norm_affine, ROW_norm_offset, channel4)];
    store(row_of(q), column4_of(q, channel4), gain * (v * of_sets(scale, channel4)) + offset);
  }
  if (index == 0u) {
    norm_moments[2u * number] = mean;
    norm_moments[2u * number + 1u] = scale;
    keep_running(block.channel4, mean, variance, size);
  }
}
