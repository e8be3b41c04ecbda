// The first dispatch of a step: gathers the rows of this step's batch out of the resident dataset, binarizes them if asked,
// and sets this step's scalars. Words are u32 of four bytes, or floats of one value each four at a time.
// Needs: random_uniform, permuted, scheduled, batch_value; buffers state, schedules, source, batch;
// const ROWS (stored), BATCH, WORDS (a row of the source), SCALARS. Gives: main, row_of.

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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  if (index < SCALARS) {
    state.scalars[index] = scheduled(schedules[index], state.step);
  }
  let row = index % ROWS;
  let column4 = index / ROWS;
  if (column4 < WORDS) {
    batch[at(ROWS, row, column4)] = batch_value(row, column4, source[row_of(row) * WORDS + column4]);
  }
}
