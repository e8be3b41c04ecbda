// z ~ Σ_c π_c N(μ_c, diag σ_c²) from noise: the component by a uniform number in column K, then μ_c + σ_c ε with the first K columns as ε.
// One invocation a row.
// Needs: at_scalar, component_mean, component_log_variance, log_weight, log_weights, buffers noise and z of f32; const ROWS (stored),
// COMPONENTS, LATENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= ROWS) {
    return;
  }
  let u = noise[at_scalar(ROWS, row, LATENTS)];
  let normalizer = log_weights();
  var chosen = 0u;
  var below = exp(log_weight(0u, normalizer));
  while (chosen + 1u < COMPONENTS && below <= u) {
    chosen++;
    below += exp(log_weight(chosen, normalizer));
  }
  for (var k = 0u; k < LATENTS; k++) {
    z[at_scalar(ROWS, row, k)] = component_mean(chosen, k) +
      exp(0.5 * component_log_variance(chosen, k)) * noise[at_scalar(ROWS, row, k)];
  }
}
