// From dL/dz and the weight w of the divergence, with zᵢ = μᵢ + Σⱼ Lᵢⱼ εⱼ and dz what reaches z in all: dμᵢ = dzᵢ, dLᵢⱼ = dzᵢ εⱼ for
// j < i, dlog Lᵢᵢ² = ½ dzᵢ Lᵢᵢ εᵢ, each with what the divergence adds to it.
// Needs: statistic_at, deviation_at, drawn_at, within, lower_column, noise_of, through_z, mean_part, factor_part, deviation_part,
// upstream_kl, buffer gradient of f32, const ROWS_gradient, LATENTS. Gives: finish.

fn finish(row: u32, column4: u32, value: vec4f) {
  let weight = upstream_kl(row);
  for (var c = 0u; c < 4u; c++) {
    let i = 4u * column4 + c;
    if (i < LATENTS) {
      let deviation = deviation_at(row, i);
      let to_z = value[c] + weight * through_z(drawn_at(row, i));
      gradient[at_scalar(ROWS_gradient, row, i)] = to_z + weight * mean_part(statistic_at(row, i));
      gradient[at_scalar(ROWS_gradient, row, LATENTS + i)] = 0.5 * within(row, i) *
        (to_z * deviation * noise_of(row, i) + weight * deviation_part(deviation));
      for (var j = 0u; j < i; j++) {
        let column = lower_column(i, j);
        gradient[at_scalar(ROWS_gradient, row, column)] =
          to_z * noise_of(row, j) + weight * factor_part(statistic_at(row, column));
      }
    }
  }
}
