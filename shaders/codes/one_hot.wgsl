// Loader: 1 in the column of a row's code, else 0. Needs: code_of, const CODED. Gives: load_b.

fn load_b(row: u32, column4: u32) -> vec4f {
  let columns = 4u * column4 + vec4u(0u, 1u, 2u, 3u);
  let ones = select(vec4f(), vec4f(1.0), columns == vec4u(code_of(row)));
  return select(vec4f(), ones, row < CODED);
}
