// The parts of log q(z_n | x) - log N(z_n; 0, I) of each draw: log q(z | x) - log q(z), log q(z) - Σ_k log q(z_k) and
// Σ_k (log q(z_k) - log N(z_k; 0, 1)); 0 in the padding. One invocation a draw.
// Needs: at_scalar, valid_rows, density.wgsl, buffers marginals, mutual_information, total_correlation and marginal_kl of f32, const
// ROWS_latents, ROWS_marginals, DRAWS, AGGREGATED (K). Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= ROWS_latents) {
    return;
  }
  var parts = vec3f();
  if (n < valid_rows() * DRAWS) {
    let joint = marginals[at_scalar(ROWS_marginals, n, AGGREGATED)];
    parts = vec3f(-joint, joint, 0.0);
    for (var k = 0u; k < AGGREGATED; k++) {
      let z = latents[at_scalar(ROWS_latents, n, k)];
      let marginal = marginals[at_scalar(ROWS_marginals, n, k)];
      parts += vec3f(log_density(n, n / DRAWS, k), -marginal, marginal + 0.5 * (1.8378770664093453 + z * z));
    }
  }
  mutual_information[n] = parts.x;
  total_correlation[n] = parts.y;
  marginal_kl[n] = parts.z;
}
