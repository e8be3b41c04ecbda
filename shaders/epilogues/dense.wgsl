// y = f(x W + b), zero in the padding. Needs: activation, buffer y of vec4f, const ROWS_y, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  y[at(ROWS_y, row, column4)] = select(vec4f(), activation(value), columns_below(COLUMNS, column4));
}
