// z = μ + L ε and KL(N(μ, L Lᵀ) ‖ N(0, I)) = ½ Σᵢ (Σⱼ Lᵢⱼ² + μᵢ² - 1 - log Lᵢᵢ²), one latent dimension an invocation.
// Needs: statistic_at, deviation_at, lower_column, noise_of, buffers z and kl of f32, const ROWS, LATENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x % ROWS;
  let i = id.x / ROWS;
  if (i < LATENTS) {
    let mean = statistic_at(row, i);
    let deviation = deviation_at(row, i);
    var drawn = mean + deviation * noise_of(row, i);
    var squares = deviation * deviation;
    for (var j = 0u; j < i; j++) {
      let l = statistic_at(row, lower_column(i, j));
      drawn += l * noise_of(row, j);
      squares += l * l;
    }
    z[at_scalar(ROWS, row, i)] = drawn;
    kl[i * ROWS + row] = 0.5 * (squares + mean * mean - 1.0) - log(deviation);
  }
}
