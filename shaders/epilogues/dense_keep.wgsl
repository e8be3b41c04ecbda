// y = f(a), a = x W + b, and a itself, for activations whose derivative y does not give back.
// Needs: activation, buffers y and kept_input of vec4f, const ROWS_y, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let index = at(ROWS_y, row, column4);
  kept_input[index] = value;
  y[index] = select(vec4f(), activation(value), columns_below(COLUMNS, column4));
}
