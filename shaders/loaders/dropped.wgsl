// Loader: a matrix with each value 0 with probability DROPPED, else times 1 / (1 - DROPPED); the same values at each call in a step.
// Needs: load4_a, random_uniform, buffer state, const ROWS_a, VALID_dropped, FIRST_dropped, STREAM_dropped, DROPPED as f32. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let u = random_uniform(state.seed, state.step, STREAM_dropped, column4 * VALID_dropped + FIRST_dropped + row);
  return select(vec4f(), load4_a(at(ROWS_a, row, column4)) * (1.0 / (1.0 - DROPPED)), u >= vec4f(DROPPED));
}
