// -Σ_k z_k log p(x | k), from a_k = log p(k) + log p(x | k). One invocation a row.
// Needs: at_scalar, buffers logits, prior, z, nll of f32; const ROWS, ROWS_prior, COMPONENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= ROWS) {
    return;
  }
  var sum = 0.0;
  for (var k = 0u; k < COMPONENTS; k++) {
    sum += z[at_scalar(ROWS, row, k)] * (logits[at_scalar(ROWS, row, k)] - prior[at_scalar(ROWS_prior, 0u, k)]);
  }
  nll[row] = -sum;
}
