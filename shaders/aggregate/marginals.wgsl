// log q(z_nk) of each draw and dimension, and in column K log q(z_n), each as the log-sum-exp of weighted densities over the posteriors of a
// batch. Leaves in `joint` what each posterior has of q(z_n), which sums to 1. One invocation a column of a draw.
// Needs: at_scalar, valid_rows, density.wgsl, buffers joint and marginals of f32, const ROWS_joint, ROWS_marginals, DRAWS, AGGREGATED (K),
// ACROSS. Gives: main.

/// The logarithm of what x_m adds to the sum of a column.
fn log_part(n: u32, m: u32, column: u32) -> f32 {
  if (column == AGGREGATED) {
    return joint[at_scalar(ROWS_joint, n, m)];
  }
  return log_weight(n, m) + log_density(n, m, column);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = (group.y * ACROSS + group.x) * 64u + index;
  let n = place / (AGGREGATED + 1u);
  let column = place % (AGGREGATED + 1u);
  let count = valid_rows();
  if (n >= count * DRAWS) {
    return;
  }
  var largest = -3.4028234663852886e38;
  for (var m = 0u; m < count; m++) {
    largest = max(largest, log_part(n, m, column));
  }
  var total = 0.0;
  for (var m = 0u; m < count; m++) {
    total += exp(log_part(n, m, column) - largest);
  }
  let log_sum = largest + log(total);
  marginals[at_scalar(ROWS_marginals, n, column)] = log_sum;
  if (column == AGGREGATED) {
    for (var m = 0u; m < count; m++) {
      let at_pair = at_scalar(ROWS_joint, n, m);
      joint[at_pair] = exp(joint[at_pair] - log_sum);
    }
  }
}
