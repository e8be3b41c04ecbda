// Loader: the number of each row in column 0, zero elsewhere. Needs: number_of, const ROWS_column. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  if (row >= ROWS_column || column4 > 0u) {
    return vec4f();
  }
  return vec4f(number_of(row), 0.0, 0.0, 0.0);
}
