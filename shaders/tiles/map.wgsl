// Tile without a product: hands every element of one operand to the epilogue, for epilogues that no product could take in. A
// workgroup of 8 x 8 invocations covers 8 rows x 32 columns.
// Needs: load_a, store, invocation, const PANELS_map (of columns), ROWS_map. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) index: u32) {
  invocation = index;
  // A dispatch has at most 65535 workgroups a dimension, and there may be more groups of rows.
  let first = (group.x / PANELS_map * groups.y + group.y) * 8u;
  if (first < ROWS_map) {
    let row = first + (index >> 3u);
    let column4 = group.x % PANELS_map * 8u + (index & 7u);
    store(row, column4, load_a(row, column4));
  }
}
