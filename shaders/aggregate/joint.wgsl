// log (w_nm q(z_n | x_m)) of each draw under each posterior of a batch, w_nm its weight in the estimate of q(z_n). One invocation a pair.
// Needs: at_scalar, valid_rows, density.wgsl, buffer joint of f32, const ROWS_latents, ROWS_joint, BATCH, DRAWS, AGGREGATED (K), ACROSS.
// Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let pair = (group.y * ACROSS + group.x) * 64u + index;
  // Neighbours have neighbouring posteriors of one draw.
  let n = pair / BATCH;
  let m = pair % BATCH;
  let count = valid_rows();
  if (n >= count * DRAWS || m >= count) {
    return;
  }
  var sum = log_weight(n, m);
  for (var k = 0u; k < AGGREGATED; k++) {
    sum += log_density(n, m, k);
  }
  joint[at_scalar(ROWS_joint, n, m)] = sum;
}
