// y = a value of the distribution with this location and scale (its mean, a draw, a quantile), zero in the padding.
// Needs: value_of, scale_at, buffer y of vec4f, const ROWS_y, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let found = value_of(row, column4, value, scale_at(row, column4).value);
  y[at(ROWS_y, row, column4)] = select(vec4f(), found, columns_below(COLUMNS, column4));
}
