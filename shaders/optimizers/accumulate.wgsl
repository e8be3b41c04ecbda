// a = SHARE g in the first of BATCHES gradients, a += SHARE g in the others. A gradient is formed every EVERY steps.
// Needs: at, buffers accumulated of vec4f, state; const ROWS_accumulated, EVERY, BATCHES, SHARE. Gives: finish.

fn finish(row: u32, column4: u32, gradient: vec4f) {
  let index = at(ROWS_accumulated, row, column4);
  let before = select(accumulated[index], vec4f(), state.step / EVERY % BATCHES == 0u);
  accumulated[index] = before + SHARE * gradient;
}
