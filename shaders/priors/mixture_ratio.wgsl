// log N(z; 0, I) - log p(z) of each row, p(z) = Σ_c π_c N(z; μ_c, diag σ_c²), and r_c = p(c | z), which is zero in the padding. One
// invocation a row. The factor (2π)^(-K/2) of both densities cancels.
// Needs: at_scalar, component_mean, component_log_variance, log_weight, log_weights, buffers z, responsibilities and ratio of f32; const
// ROWS (stored), VALID, COMPONENTS, LATENTS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= ROWS) {
    return;
  }
  let normalizer = log_weights();
  var largest = -3.4028234663852886e38;
  for (var c = 0u; c < COMPONENTS; c++) {
    var twice = 0.0;
    for (var k = 0u; k < LATENTS; k++) {
      let log_variance = component_log_variance(c, k);
      let apart = z[at_scalar(ROWS, row, k)] - component_mean(c, k);
      twice += log_variance + apart * apart * exp(-log_variance);
    }
    let log_joint = log_weight(c, normalizer) - 0.5 * twice;
    responsibilities[at_scalar(ROWS, row, c)] = log_joint;
    largest = max(largest, log_joint);
  }
  var total = 0.0;
  for (var c = 0u; c < COMPONENTS; c++) {
    total += exp(responsibilities[at_scalar(ROWS, row, c)] - largest);
  }
  let log_density = largest + log(total);
  let valid = select(0.0, 1.0, row < VALID);
  for (var c = 0u; c < COMPONENTS; c++) {
    let place = at_scalar(ROWS, row, c);
    responsibilities[place] = valid * exp(responsibilities[place] - log_density);
  }
  var squares = 0.0;
  for (var k = 0u; k < LATENTS; k++) {
    let value = z[at_scalar(ROWS, row, k)];
    squares += value * value;
  }
  ratio[row] = -0.5 * squares - log_density;
}
