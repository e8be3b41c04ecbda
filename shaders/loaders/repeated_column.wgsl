// Loader: the number of each row in every column, zero in the padding. Needs: number_of, const ROWS_column, COLUMNS_column. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  if (row >= ROWS_column) {
    return vec4f();
  }
  return select(vec4f(), vec4f(number_of(row)), columns_below(COLUMNS_column, column4));
}
