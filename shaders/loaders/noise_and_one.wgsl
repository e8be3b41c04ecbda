// Loader: standard normal noise, and after its FEATURES columns a column of ones. Needs: noise_at, const FEATURES. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let columns = 4u * column4 + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(1.0), noise_at(row, column4), columns < vec4u(FEATURES));
}
