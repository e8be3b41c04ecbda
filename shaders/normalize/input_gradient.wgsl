// dx = scale (g - mean(g) - x̂ mean(g x̂)), g = da gain, means over each set, x̂ = (x - mean) scale; zero for rows that are no data.
// Needs: g_of, sums_in, RANKS, sets.wgsl, valid_pixels, store, buffer norm_moments of vec4f. Gives: in_block.

fn in_block(number: u32, index: u32) {
  let block = block_of(number);
  let counted = valid_pixels();
  let size = f32(counted * SET_CHANNELS * RANKS);
  let mean = norm_moments[2u * number];
  let scale = norm_moments[2u * number + 1u];
  let found = sums_in(number, block, counted, index);
  let mean_g = found.g / size;
  let mean_product = found.product / size;
  for (var i = index; i < COUNT * block.width4; i += $invocationsu) {
    let q = pixel_in(block, i);
    let channel4 = channel4_in(block, i);
    let s = of_sets(scale, channel4);
    let x = (x_of(q, channel4) - of_sets(mean, channel4)) * s;
    let dx = s * (g_of(q, channel4) - of_sets(mean_g, channel4) - x * of_sets(mean_product, channel4));
    let valid = q - block.pixel < counted;
    store(row_of(q), column4_of(q, channel4), select(vec4f(), in_channels(dx, channel4), valid));
  }
}
