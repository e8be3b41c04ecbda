// log N(z; 0, I) - log q(z | x) of a Gaussian q, one row an invocation: diagonal, μ and log σ², or FULL, μ + L ε as in gaussian_full.wgsl.
// Needs: at_scalar, buffers statistics, z and ratio of f32, const ROWS_statistics, REPEATS_statistics (rows of z for a row), ROWS_z, STORED,
// LATENTS, FULL. Gives: main.

fn statistic_at(row: u32, column: u32) -> f32 {
  return statistics[at_scalar(ROWS_statistics, row / REPEATS_statistics, column)];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= STORED) {
    return;
  }
  var sum = 0.0;
  if (row < ROWS_z) {
    // L⁻¹ (z - μ), from above.
    var solved = array<f32, LATENTS>();
    for (var i = 0u; i < LATENTS; i++) {
      let value = z[at_scalar(STORED, row, i)];
      let log_variance = clamp(statistic_at(row, LATENTS + i), -30.0, 20.0);
      var apart = value - statistic_at(row, i);
      if (FULL) {
        for (var j = 0u; j < i; j++) {
          apart -= statistic_at(row, 2u * LATENTS + i * (i - 1u) / 2u + j) * solved[j];
        }
      }
      solved[i] = apart * exp(-0.5 * log_variance);
      sum += 0.5 * (solved[i] * solved[i] + log_variance - value * value);
    }
  }
  ratio[row] = sum;
}
