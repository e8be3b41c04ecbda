// k ~ softmax(a / T) for each row, by the uniform number u of position t % POSITIONS of image n, t the step: the first k with
// u Σ exp(a_j / T) < Σ_{j ≤ k} exp(a_j / T), the largest a taken out. It becomes that position's code. One invocation a row.
// Needs: at, at_scalar, columns_below, largest_logit, random_uniform, buffers state, logits of vec4f, temperature and codes of f32; const
// BATCH, ROWS_logits, ROWS_temperature, ROWS_codes, CODES, POSITIONS, STREAM_draw. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= BATCH) {
    return;
  }
  let scale = 1.0 / max(temperature[at_scalar(ROWS_temperature, row, 0u)], 1.0e-6);
  let largest = largest_logit(row);
  var total = 0.0;
  for (var column4 = 0u; column4 < (CODES + 3u) / 4u; column4++) {
    let share = exp((logits[at(ROWS_logits, row, column4)] - largest) * scale);
    total += dot(select(vec4f(), share, columns_below(CODES, column4)), vec4f(1.0));
  }
  let position = state.step % POSITIONS;
  let number = (state.step / POSITIONS * BATCH + row) * POSITIONS + position;
  var left = random_uniform(state.seed, 0u, STREAM_draw, number / 4u)[number % 4u] * total;
  var code = 0u;
  // Rounding may leave some over at the end: then it is the last code that has a share.
  for (var k = 0u; k < CODES && left >= 0.0; k++) {
    let share = exp((logits[at(ROWS_logits, row, k / 4u)][k % 4u] - largest) * scale);
    code = select(code, k, share > 0.0);
    left -= share;
  }
  codes[at_scalar(ROWS_codes, row, position)] = f32(code);
}
