// Loader: dL/dz of L = Σ w (log N(z; 0, I) - log p(z)): w (-z + Σ_c r_c (z - μ_c) / σ_c²), w being the row's upstream.
// Needs: at_scalar, component_mean, component_log_variance, upstream_ratio, buffers z and responsibilities of f32; const ROWS, COMPONENTS,
// LATENTS. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  let weight = upstream_ratio(row);
  //: repeat c 0..4
  if (4u * column4 + $cu < LATENTS) {
    let k = 4u * column4 + $cu;
    let value = z[at_scalar(ROWS, row, k)];
    var sum = -value;
    for (var c = 0u; c < COMPONENTS; c++) {
      sum += responsibilities[at_scalar(ROWS, row, c)] * (value - component_mean(c, k)) * exp(-component_log_variance(c, k));
    }
    v[$c] = weight * sum;
  }
  //: end
  return v;
}
