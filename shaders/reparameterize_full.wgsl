// z = μ + L ε and each latent dimension's part of the divergence from N(0, I), one an invocation.
// Needs: statistic_at, deviation_at, drawn_at, lower_column, noise_of, divergence_of, buffers z and kl of f32, const ROWS, LATENTS.
// Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x % ROWS;
  let i = id.x / ROWS;
  if (i < LATENTS) {
    let deviation = deviation_at(row, i);
    var squares = deviation * deviation;
    for (var j = 0u; j < i; j++) {
      let l = statistic_at(row, lower_column(i, j));
      squares += l * l;
    }
    let drawn = drawn_at(row, i);
    z[at_scalar(ROWS, row, i)] = drawn;
    kl[i * ROWS + row] = divergence_of(squares, statistic_at(row, i), drawn, noise_of(row, i), 2.0 * log(deviation));
  }
}
