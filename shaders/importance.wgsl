// The importance-weighted bound of each datum from its L draws, log wₗ = -(nllₗ + divergenceₗ):
//   bound = -log (1/L) Σ wₗ, by log-sum-exp, and the normalised weights wₗ / Σ w, which are its gradient.
// Needs: buffers nll, kl, bound and importance of f32; const DATA, SAMPLES, and the stored rows and parts ROWS_nll, PARTS_nll,
// ROWS_kl, PARTS_kl. Gives: main.

fn log_weight(row: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < PARTS_nll; part++) {
    sum += nll[part * ROWS_nll + row];
  }
  for (var part = 0u; part < PARTS_kl; part++) {
    sum += kl[part * ROWS_kl + row];
  }
  return -sum;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < DATA) {
    let first = id.x * SAMPLES;
    var largest = log_weight(first);
    importance[first] = largest;
    for (var i = 1u; i < SAMPLES; i++) {
      let weight = log_weight(first + i);
      importance[first + i] = weight;
      largest = max(largest, weight);
    }
    var sum = 0.0;
    for (var i = 0u; i < SAMPLES; i++) {
      let weight = exp(importance[first + i] - largest);
      importance[first + i] = weight;
      sum += weight;
    }
    for (var i = 0u; i < SAMPLES; i++) {
      importance[first + i] /= sum;
    }
    bound[id.x] = log(f32(SAMPLES)) - largest - log(sum);
  }
}
