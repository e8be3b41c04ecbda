// a = gain (x - mean) / sqrt(variance + ε) + offset, mean and variance those of each set: the variance as the mean of squares about the
// mean. Keeps the mean and 1 / sqrt(variance + ε) of each block's sets.
// Needs: moments_in, RANKS, sets.wgsl, valid_pixels, keep_running, store, buffers norm_affine and norm_moments of vec4f, const ROWS_norm_affine,
// ROW_norm_offset, EPSILON as f32. Gives: in_block.

fn in_block(number: u32, index: u32) {
  let block = block_of(number);
  let counted = valid_pixels();
  let found = moments_in(number, block, counted, index);
  let mean = found.mean;
  let size = f32(counted * SET_CHANNELS * RANKS);
  let variance = found.squares / size;
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
