// x ~ N(μ, v), from μ as it is formed. Needs: load_variance (v), noise_at, buffer y of vec4f, const ROWS_y, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let drawn = value + sqrt(load_variance(row, column4)) * noise_at(row, column4);
  y[at(ROWS_y, row, column4)] = select(vec4f(), drawn, columns_below(COLUMNS, column4));
}
