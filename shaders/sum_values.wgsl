// One number for each row: the sum of two, each in parts. Needs: buffers one, other and sum of f32; const ROWS (stored), PARTS_one,
// PARTS_other. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ROWS) {
    return;
  }
  var total = 0.0;
  for (var i = 0u; i < PARTS_one; i++) {
    total += one[i * ROWS + id.x];
  }
  for (var i = 0u; i < PARTS_other; i++) {
    total += other[i * ROWS + id.x];
  }
  sum[id.x] = total;
}
