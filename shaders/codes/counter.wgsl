// Counts codes of the rows that are data, in POSITIONS columns: every EVERY-th from FIRST on. Integers: the order does not matter.
// Needs: at_scalar, valid_rows, buffers codes of f32 and counts of atomic u32, const ROWS_codes, POSITIONS, FIRST, EVERY. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / POSITIONS;
  if (row < valid_rows()) {
    let column = id.x % POSITIONS * EVERY + FIRST;
    atomicAdd(&counts[u32(codes[at_scalar(ROWS_codes, row, column)])], 1u);
  }
}
