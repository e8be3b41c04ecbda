// What each row has of the squared maximum mean discrepancy of R draws and R others:
// 1 / (R - 1) Σ_{j ≠ n} (k(z_n, z_j) + k(p_n, p_j)) - 1 / R Σ_j (k(z_n, p_j) + k(z_j, p_n)); 0 in the padding. One invocation a row.
// Needs: valid_rows, similarity, buffers distances and discrepancy of f32, const PAIRED, DRAWS, ROWS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= ROWS) {
    return;
  }
  let count = valid_rows() * DRAWS;
  let pairs = f32(max(count, 2u) - 1u);
  // Both of a pair at once, which are nearly equal: less is lost to rounding.
  var sum = 0.0;
  if (n < count && count > 1u) {
    for (var j = 0u; j < count; j++) {
      let within = similarity(distances[n * PAIRED + j]) + similarity(distances[(2u * PAIRED + n) * PAIRED + j]);
      let across = similarity(distances[(PAIRED + n) * PAIRED + j]) + similarity(distances[(PAIRED + j) * PAIRED + n]);
      sum += select(within / pairs, 0.0, j == n) - across / f32(count);
    }
  }
  discrepancy[n] = sum;
}
