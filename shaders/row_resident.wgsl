// Rows that all lie on the GPU, in the stored order. Needs: permuted, buffer state, const BATCH. Gives: row_of.

/// Which row of the dataset is row `row` of this step's batch. Shuffled batches run on across the end of an epoch, so that
/// every row is seen once an epoch whatever the batch size; batches in the stored order end with a shorter one.
fn row_of(row: u32) -> u32 {
  if (state.shuffle == 0u) {
    let batches = (state.count + BATCH - 1u) / BATCH;
    return min((state.step % batches) * BATCH + row, state.count - 1u);
  }
  let position = state.step * BATCH + min(row, BATCH - 1u);
  return permuted(position % state.count, state.count, state.seed, position / state.count);
}
