// A Gaussian with full covariance Σ = L Lᵀ, L lower triangular: one matrix holds μ in its first K columns, log Lᵢᵢ² in the next
// K, and Lᵢⱼ, j < i, in column 2 K + i (i - 1) / 2 + j. log Lᵢᵢ² is clamped to [-30, 20], and has no gradient beyond.
// Needs: at_scalar, noise_at, buffer statistics of f32, const ROWS_statistics, REPEATS_statistics (draws for a row), LATENTS.
// Gives: statistic_at, deviation_at, within, lower_column, noise_of, drawn_at.

fn statistic_at(row: u32, column: u32) -> f32 {
  return statistics[at_scalar(ROWS_statistics, row / REPEATS_statistics, column)];
}

/// Lᵢᵢ
fn deviation_at(row: u32, i: u32) -> f32 {
  return exp(0.5 * clamp(statistic_at(row, LATENTS + i), -30.0, 20.0));
}

/// 1 where log Lᵢᵢ² is not clamped, else 0.
fn within(row: u32, i: u32) -> f32 {
  let v = statistic_at(row, LATENTS + i);
  return select(0.0, 1.0, v == clamp(v, -30.0, 20.0));
}

fn lower_column(i: u32, j: u32) -> u32 {
  return 2u * LATENTS + i * (i - 1u) / 2u + j;
}

fn noise_of(row: u32, j: u32) -> f32 {
  return noise_at(row, j >> 2u)[j & 3u];
}

/// zᵢ = μᵢ + Σⱼ Lᵢⱼ εⱼ
fn drawn_at(row: u32, i: u32) -> f32 {
  var drawn = statistic_at(row, i) + deviation_at(row, i) * noise_of(row, i);
  for (var j = 0u; j < i; j++) {
    drawn += statistic_at(row, lower_column(i, j)) * noise_of(row, j);
  }
  return drawn;
}
