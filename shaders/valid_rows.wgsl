// How many rows of this step's batch are data: all, but for the last batch of rows in the stored order, which may be shorter.
// Needs: buffer state, const BATCH. Gives: valid_rows.

fn valid_rows() -> u32 {
  if (state.shuffle != 0u) {
    return BATCH;
  }
  let batches = (state.count + BATCH - 1u) / BATCH;
  return min(BATCH, state.count - (state.step % batches) * BATCH);
}
