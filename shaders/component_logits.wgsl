// a_k = c_k - ½ ‖u_k‖² from the whitened u_k, FEATURES columns a component. One invocation for a row and a component.
// Needs: at_scalar, buffers whitened, prior (log p(k), then c_k), logits of f32; const ROWS, ROWS_prior, COMPONENTS, FEATURES. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x % ROWS;
  let k = id.x / ROWS;
  if (k >= COMPONENTS) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; d < FEATURES; d++) {
    let u = whitened[at_scalar(ROWS, row, k * FEATURES + d)];
    sum += u * u;
  }
  logits[at_scalar(ROWS, row, k)] = prior[at_scalar(ROWS_prior, 1u, k)] - 0.5 * sum;
}
