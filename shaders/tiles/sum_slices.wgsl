// The second half of a product that was summed in chunks: adds the partial sums in a fixed order and hands them to the
// epilogue. A workgroup of 8 x 8 invocations covers 8 rows x 32 columns.
// Needs: slices_of, store, buffer partial of vec4f, const ROWS_sum, ROWS_partial, ROWS_slice. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let row = group.y * 8u + (index >> 3u);
  let column4 = group.x * 8u + (index & 7u);
  if (row < ROWS_sum) {
    // First slice, how many, and the row in each.
    let slices = slices_of(row);
    var sum = vec4f();
    for (var i = 0u; i < slices.y; i++) {
      sum += partial[at(ROWS_partial, (slices.x + i) * ROWS_slice + slices.z, column4)];
    }
    store(row, column4, sum);
  }
}
