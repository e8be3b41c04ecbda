// Rows of the steps under way alone, brought in the order in which they are used (core/ops/gather.ts): the buffer holds those of STEPS
// steps, and begins again. Needs: buffer state, const BATCH, STEPS. Gives: row_of.

/// Where row `row` of this step's batch lies.
fn row_of(row: u32) -> u32 {
  return (state.step % STEPS) * BATCH + min(row, BATCH - 1u);
}
