// The first dispatch of a step: gathers the rows of this step's batch out of the resident dataset, binarizes them if asked,
// and sets this step's scalars. Words are u32 of four bytes, or floats of one value each four at a time.
// Needs: row_of, scheduled, batch_value; buffers state, schedules, source, batch;
// const ROWS (stored), WORDS (a row of the source), SCALARS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  if (index < SCALARS) {
    state.scalars[index >> 2u][index & 3u] = scheduled(schedules[index], state.step);
  }
  let row = index % ROWS;
  let column4 = index / ROWS;
  if (column4 < WORDS) {
    batch[at(ROWS, row, column4)] = batch_value(row, column4, source[row_of(row) * WORDS + column4]);
  }
}
