// Σ g and Σ g x̂ of each set of a block, g = da gain, x̂ = (x - mean) scale. Needs: tree_sum, sets.wgsl, buffers norm_upstream (da),
// norm_affine and norm_moments of vec4f, const ROWS_norm_upstream, ROWS_norm_affine. Gives: Sums, g_of, sums_of.

struct Sums {
  g: vec4f,
  product: vec4f,
}

fn g_of(q: u32, channel4: u32) -> vec4f {
  let upstream = norm_upstream[at(ROWS_norm_upstream, row_of(q), column4_of(q, channel4))];
  return upstream * norm_affine[at(ROWS_norm_affine, 0u, channel4)];
}

fn sums_of(number: u32, block: Block, counted: u32, index: u32) -> Sums {
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
  let all = tree_sum(sum, index);
  return Sums(all, tree_sum(product, index));
}
