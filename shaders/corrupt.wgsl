// Noise on the input of a denoising autoencoder, drawn anew at every step: each kind is a function of the value, a uniform and a
// normal. Needs: random_uniform, random_normal, corrupted, buffers state and y of vec4f, const ROWS_y, COLUMNS, VALID_corrupt,
// FIRST_corrupt, STREAM_corrupt. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let index = column4 * VALID_corrupt + FIRST_corrupt + row;
  let u = random_uniform(state.seed, state.step, STREAM_corrupt, index);
  let e = random_normal(state.seed, state.step, STREAM_corrupt + 1u, index);
  y[at(ROWS_y, row, column4)] = select(vec4f(), corrupted(value, u, e), columns_below(COLUMNS, column4));
}
