// From dL/dz and the weight w of the KL term, with zᵢ = μᵢ + Σⱼ Lᵢⱼ εⱼ: dμᵢ = dzᵢ + w μᵢ, dLᵢⱼ = dzᵢ εⱼ + w Lᵢⱼ for j < i, and
// dlog Lᵢᵢ² = ½ (dzᵢ Lᵢᵢ εᵢ + w (Lᵢᵢ² - 1)).
// Needs: statistic_at, deviation_at, within, lower_column, noise_of, upstream_kl, buffer gradient of f32, const ROWS_gradient,
// LATENTS. Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  let weight = upstream_kl(row);
  for (var c = 0u; c < 4u; c++) {
    let i = 4u * column4 + c;
    if (i < LATENTS) {
      let deviation = deviation_at(row, i);
      gradient[at_scalar(ROWS_gradient, row, i)] = value[c] + weight * statistic_at(row, i);
      gradient[at_scalar(ROWS_gradient, row, LATENTS + i)] = 0.5 * within(row, i) *
        (value[c] * deviation * noise_of(row, i) + weight * (deviation * deviation - 1.0));
      for (var j = 0u; j < i; j++) {
        let column = lower_column(i, j);
        gradient[at_scalar(ROWS_gradient, row, column)] = value[c] * noise_of(row, j) + weight * statistic_at(row, column);
      }
    }
  }
}
