// Counts codes [N, POSITIONS] of the rows that are data. Integers: the order does not matter.
// Needs: at_scalar, valid_rows, buffers codes of f32 and counts of atomic u32, const ROWS_codes, POSITIONS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / POSITIONS;
  if (row < valid_rows()) {
    atomicAdd(&counts[u32(codes[at_scalar(ROWS_codes, row, id.x % POSITIONS)])], 1u);
  }
}
