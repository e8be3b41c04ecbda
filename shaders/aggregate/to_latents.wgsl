// Loader: the gradient of the three parts by draws: w z_nk - Σ_m slope (z_nk - μ_mk) / σ_mk²; zero in the padding.
// Needs: at_scalar, valid_rows, density.wgsl, slope, upstream_marginal_kl, buffer latents of f32, const ROWS_latents, DRAWS, AGGREGATED (K).
// Gives: load_a.

fn latent_part(n: u32, k: u32) -> f32 {
  var sum = upstream_marginal_kl(n) * latents[at_scalar(ROWS_latents, n, k)];
  let count = valid_rows();
  for (var m = 0u; m < count; m++) {
    sum -= slope(n, m, k) * deviation_of(n, m, k) * exp(-log_variance_of(m, k));
  }
  return sum;
}

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (row < valid_rows() * DRAWS && 4u * column4 + $cu < AGGREGATED) {
    v[$c] = latent_part(row, 4u * column4 + $cu);
  }
  //: end
  return v;
}
