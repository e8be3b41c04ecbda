// ‖a - b‖² of the pairs of a maximum mean discrepancy, row-major [3 R, R]: of z_n and z_j, below them of z_n and p_j, and of p_n and p_j, p
// draws of the prior. One invocation a pair.
// Needs: at_scalar, buffers compared (z), drawn (p) and distances of f32, const ROWS_compared, COMPARED (K), PAIRED (R), ACROSS.
// Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let pair = (group.y * ACROSS + group.x) * 64u + index;
  let kind = pair / (PAIRED * PAIRED);
  if (kind >= 3u) {
    return;
  }
  let n = pair / PAIRED % PAIRED;
  let j = pair % PAIRED;
  var sum = 0.0;
  for (var k = 0u; k < COMPARED; k++) {
    var a = 0.0;
    var b = 0.0;
    if (kind == 2u) {
      a = drawn[at_scalar(ROWS_compared, n, k)];
    } else {
      a = compared[at_scalar(ROWS_compared, n, k)];
    }
    if (kind == 0u) {
      b = compared[at_scalar(ROWS_compared, j, k)];
    } else {
      b = drawn[at_scalar(ROWS_compared, j, k)];
    }
    sum += (a - b) * (a - b);
  }
  distances[pair] = sum;
}
