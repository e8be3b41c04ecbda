// Standard normal noise from (seed, step, stream, index). Needs: random_normal, buffer state, const STREAM_noise, ROWS_noise.
// Gives: noise_at.

fn noise_at(row: u32, column4: u32) -> vec4f {
  return random_normal(state.seed, state.step, STREAM_noise, column4 * ROWS_noise + row);
}
