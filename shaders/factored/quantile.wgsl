// μ + k √Σ_dd. Needs: mean_at, log_variance_at, factor_at, const RANK, QUANTILE. Gives: value_of.

fn value_of(row: u32, d: u32) -> f32 {
  var variance = exp(log_variance_at(row, d).value.x);
  for (var r = 0u; r < RANK; r++) {
    variance += factor_at(row, d, r) * factor_at(row, d, r);
  }
  return mean_at(row, d) + QUANTILE * sqrt(variance);
}
