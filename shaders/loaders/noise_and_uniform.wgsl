// Loader: standard normal noise, and after its FEATURES columns one of uniform numbers in (0, 1).
// Needs: noise_at, random_uniform, buffer state, const FEATURES, FIRST_noise, STREAM_uniform. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let columns = 4u * column4 + vec4u(0u, 1u, 2u, 3u);
  let uniform_number = random_uniform(state.seed, state.step, STREAM_uniform, FIRST_noise + row).x;
  return select(vec4f(uniform_number), noise_at(row, column4), columns < vec4u(FEATURES));
}
