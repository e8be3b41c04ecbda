// Loader: the gradient w (softmax(a) - indicator of the code) of a row's -log softmax(a)_k with weight w; zero in the padding.
// Needs: at, code_of, columns_below, upstream_nll, buffers logits of vec4f and log_sums of f32; const ROWS_logits, CODES, POSITIONS,
// CODED. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let columns = 4u * column4 + vec4u(0u, 1u, 2u, 3u);
  let indicator = select(vec4f(), vec4f(1.0), columns == vec4u(code_of(row)));
  let probability = exp(logits[at(ROWS_logits, row, column4)] - log_sums[min(row, CODED - 1u)]);
  let gradient = upstream_nll(row / POSITIONS) * (probability - indicator);
  return select(vec4f(), gradient, columns_below(CODES, column4) & vec4<bool>(row < CODED));
}
