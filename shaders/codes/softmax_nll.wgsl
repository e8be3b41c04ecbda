// -log softmax(a)_k of each row at its code k, as log Σ exp a - a_k with the largest taken out, and log Σ exp a. One invocation a row;
// the values are [POSITIONS][ROWS_nll], one for each datum.
// Needs: at, at_scalar, code_of, columns_below, largest_logit, buffers logits of vec4f, log_sums and nll of f32; const ROWS_logits,
// ROWS_nll, CODES, POSITIONS, CODED. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= CODED) {
    return;
  }
  let largest = largest_logit(row);
  var sum = vec4f();
  for (var column4 = 0u; column4 < (CODES + 3u) / 4u; column4++) {
    let a = logits[at(ROWS_logits, row, column4)];
    sum += select(vec4f(), exp(a - largest), columns_below(CODES, column4));
  }
  let log_sum = largest + log(dot(sum, vec4f(1.0)));
  let code = code_of(row);
  log_sums[row] = log_sum;
  nll[row % POSITIONS * ROWS_nll + row / POSITIONS] = log_sum - logits[at(ROWS_logits, row, code >> 2u)][code & 3u];
}
