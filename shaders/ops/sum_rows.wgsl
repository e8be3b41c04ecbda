// The sum of each column over the rows, or with MEAN the mean over those of the batch that are data, in every row of the output. A workgroup
// forms four of them in a fixed order. Needs: tree_sum, valid_rows, load_a, store, const ROWS_summed, ROWS_stored (of the output), ROWS_given
// (of the output, padding left out), MEAN. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let valid = valid_rows();
  let count = select(ROWS_summed, valid, MEAN);
  var sum = vec4f();
  for (var row = index; row < count; row += 64u) {
    sum += load_a(row, group.x);
  }
  let total = tree_sum(sum, index) / select(1.0, f32(valid), MEAN);
  let given = select(ROWS_given, valid, MEAN);
  for (var row = index; row < ROWS_stored; row += 64u) {
    store(row, group.x, select(vec4f(), total, row < given));
  }
}
