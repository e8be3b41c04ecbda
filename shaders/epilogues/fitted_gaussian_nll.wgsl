// E[-log N(x; m, v)] = ½ Σ ((x - μ)² + s) / v + log 2πv, where m has mean μ and variance s, from μ as it is formed.
// Needs: load_data (x), load_variance (v), load_spread (s), counts, row_sum, buffer nll of f32, const SUMMED4, ROWS_nll. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let apart = load_data(row, column4) - value;
  let variance = load_variance(row, column4);
  let each = 0.5 * ((apart * apart + load_spread(row, column4)) / variance + log(6.283185307179586 * variance));
  let sum = row_sum(dot(select(vec4f(), each, counts(row, column4)), vec4f(1.0)));
  if (column4 % SUMMED4 == 0u) {
    nll[(column4 / SUMMED4) * ROWS_nll + row] = sum;
  }
}
