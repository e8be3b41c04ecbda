// x ~ Bernoulli(sigmoid(l)): 1 where a uniform lies below 1 / (1 + exp(-l)).
// Needs: random_uniform, buffers state and y of vec4f, const ROWS_y, COLUMNS, STREAM_sample, LIVE_sample (rows, padding left
// out). Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let u = random_uniform(state.seed, state.step, STREAM_sample, column4 * LIVE_sample + row);
  let mean = 1.0 / (1.0 + exp(-clamp(value, vec4f(-80.0), vec4f(80.0))));
  let drawn = select(vec4f(), vec4f(1.0), u < mean);
  y[at(ROWS_y, row, column4)] = select(vec4f(), drawn, columns_below(COLUMNS, column4));
}
