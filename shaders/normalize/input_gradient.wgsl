// dx = scale (g - mean(g) - x̂ mean(g x̂)), g = da gain, means over each set, x̂ = (x - mean) scale; zero for rows that are no data.
// Needs: tree_sum, sets.wgsl, valid_pixels, load4_norm_x, store, buffers norm_upstream (da), norm_affine and norm_moments of vec4f, const
// ROWS_norm_x, ROWS_norm_upstream, ROWS_norm_affine, ALL_BLOCKS, ACROSS. Gives: main.

@compute @workgroup_size($invocations)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let number = group.y * ACROSS + group.x;
  if (number < ALL_BLOCKS) {
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
      let row = row_of(q);
      let column4 = column4_of(q, channel4);
      let g = norm_upstream[at(ROWS_norm_upstream, row, column4)] * norm_affine[at(ROWS_norm_affine, 0u, channel4)];
      let v = load4_norm_x(at(ROWS_norm_x, row, column4)) - of_sets(mean, channel4);
      sum += into_sets(g, channel4);
      product += into_sets(g * (v * of_sets(scale, channel4)), channel4);
    }
    let mean_g = tree_sum(sum, index) / size;
    let mean_product = tree_sum(product, index) / size;
    for (var i = index; i < COUNT * block.width4; i += $invocationsu) {
      let q = pixel_in(block, i);
      let channel4 = channel4_in(block, i);
      let row = row_of(q);
      let column4 = column4_of(q, channel4);
      let g = norm_upstream[at(ROWS_norm_upstream, row, column4)] * norm_affine[at(ROWS_norm_affine, 0u, channel4)];
      let s = of_sets(scale, channel4);
      let x = (load4_norm_x(at(ROWS_norm_x, row, column4)) - of_sets(mean, channel4)) * s;
      let dx = s * (g - of_sets(mean_g, channel4) - x * of_sets(mean_product, channel4));
      store(row, column4, select(vec4f(), in_channels(dx, channel4), q - block.pixel < counted));
    }
  }
}
