// Standard normal noise from (seed, step, stream, index); how the tiles pad rows does not change the draws.
// Needs: random_normal, buffer state, const STREAM_noise, VALID_noise (rows, padding left out),
// FIRST_noise (rows before these). Gives: noise_at.

fn noise_at(row: u32, column4: u32) -> vec4f {
  return random_normal(state.seed, state.step, STREAM_noise, column4 * VALID_noise + FIRST_noise + row);
}
