// The gradient of a vector that was repeated over the rows of a matrix, from the matrix's: column sums, or the sum of everything where
// one number was repeated over the columns too. A workgroup forms four of them in a fixed order; padding is zero and adds nothing.
// Needs: tree_sum, load_a, store, const ROWS, SPAN (groups of four columns that a workgroup adds: 1, or all of
// them for a single number), SINGLE, ROW_bias. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  var sum = vec4f();
  for (var i = index; i < ROWS * SPAN; i += 64u) {
    sum += load_a(i % ROWS, group.x + i / ROWS);
  }
  let total = tree_sum(sum, index);
  if (index == 0u) {
    store(ROW_bias, group.x, select(total, vec4f(dot(total, vec4f(1.0)), 0.0, 0.0, 0.0), SINGLE));
  }
}
