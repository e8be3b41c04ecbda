// Loader: the gradient of the three parts by posteriors: Σ_n slope (z_nk - μ_mk) / σ_mk² for a mean, ½ Σ_n slope ((z_nk - μ_mk)² / σ_mk² - 1)
// for a log-variance, 0 where that is clamped; zero in the padding.
// Needs: at_scalar, valid_rows, density.wgsl, slope, buffer posteriors of f32, const ROWS_posteriors, DRAWS, AGGREGATED (K). Gives: load_a.

fn posterior_part(m: u32, column: u32) -> f32 {
  let k = column % AGGREGATED;
  let of_mean = column < AGGREGATED;
  let log_variance = log_variance_of(m, k);
  if (!of_mean && posteriors[at_scalar(ROWS_posteriors, m, column)] != log_variance) {
    return 0.0;
  }
  let inverse = exp(-log_variance);
  let draws = valid_rows() * DRAWS;
  var sum = 0.0;
  for (var n = 0u; n < draws; n++) {
    let deviation = deviation_of(n, m, k);
    sum += slope(n, m, k) * select(0.5 * (deviation * deviation * inverse - 1.0), deviation * inverse, of_mean);
  }
  return sum;
}

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (row < valid_rows() && 4u * column4 + $cu < 2u * AGGREGATED) {
    v[$c] = posterior_part(row, 4u * column4 + $cu);
  }
  //: end
  return v;
}
