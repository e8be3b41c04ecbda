// -log p(x | l) = sum over features of max(l, 0) - l x + log(1 + exp(-|l|)), and its gradient sigmoid(l) - x, from logits l:
// exact for every l, where a logarithm of probabilities is not. The logits need not be stored.
// Needs: load_data (x), row_sum, backward, upstream_nll, buffer nll of f32, const SUMMED4, ROWS_nll, COLUMNS. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let x = load_data(row, column4);
  let live = columns_below(COLUMNS, column4);
  let small = exp(-abs(value));
  let mean = select(small, vec4f(1.0), value >= vec4f()) / (1.0 + small);
  let each = max(value, vec4f()) - value * x + log(1.0 + small);
  backward(row, column4, select(vec4f(), (mean - x) * upstream_nll(row), live));
  let sum = row_sum(dot(select(vec4f(), each, live), vec4f(1.0)));
  if (column4 % SUMMED4 == 0u) {
    nll[(column4 / SUMMED4) * ROWS_nll + row] = sum;
  }
}
