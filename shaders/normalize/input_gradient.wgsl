// dx = scale (g - mean(g) - x̂ mean(g x̂)), g = da gain, means over each set, x̂ = (x - mean) scale; zero for rows that are no data.
// Needs: tree_sum, sets.wgsl, valid_pixels, store, buffers norm_upstream (da), norm_affine and norm_moments of vec4f, const
// ROWS_norm_upstream, ROWS_norm_affine. Gives: in_block.

fn g_of(q: u32, channel4: u32) -> vec4f {
  let upstream = norm_upstream[at(ROWS_norm_upstream, row_of(q), column4_of(q, channel4))];
  return upstream * norm_affine[at(ROWS_norm_affine, 0u, channel4)];
}

fn in_block(number: u32, index: u32) {
  let block = block_of(number);
  let counted = valid_pixels();
  let size = f32(counted * SET_CHANNELS);
  let mean = norm_moments[2u * number];
  let scale = norm_moments[2u * number + 1u];
  var sum = vec4f();
  var product = vec4f();
  for (var i = index; i < counted * block.width4; i += $invocationsu) {
    let q = pixel_in(block, i);
    let channel4 = channel4_in(block, i);
    let g = g_of(q, channel4);
    let x = (x_of(q, channel4) - of_sets(mean, channel4)) * of_sets(scale, channel4);
    sum += into_sets(g, channel4);
    product += into_sets(g * x, channel4);
  }
  let mean_g = tree_sum(sum, index) / size;
  let mean_product = tree_sum(product, index) / size;
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
