// The importance-weighted bound of each datum from its L draws, log wₗ = -(nllₗ + divergenceₗ):
//   bound = -(1 - β) log (1/L) Σ wₗ - (β/L) Σ log wₗ, by log-sum-exp, and its gradient (1 - β) wₗ / Σ w + β / L.
// Needs: buffers nll, kl, bound and importance of f32; const DATA, SAMPLES, FIRST (the place of the weights), COMBINATION (β), and the stored
// rows and parts ROWS_nll, PARTS_nll, ROWS_kl, PARTS_kl. Gives: main.

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
    importance[FIRST + first] = largest;
    for (var i = 1u; i < SAMPLES; i++) {
      let weight = log_weight(first + i);
      importance[FIRST + first + i] = weight;
      largest = max(largest, weight);
    }
    var sum = 0.0;
    var mean = 0.0;
    for (var i = 0u; i < SAMPLES; i++) {
      mean += importance[FIRST + first + i] / f32(SAMPLES);
      let weight = exp(importance[FIRST + first + i] - largest);
      importance[FIRST + first + i] = weight;
      sum += weight;
    }
    for (var i = 0u; i < SAMPLES; i++) {
      importance[FIRST + first + i] = (1.0 - COMBINATION) * (importance[FIRST + first + i] / sum) + COMBINATION / f32(SAMPLES);
    }
    bound[id.x] = (1.0 - COMBINATION) * (log(f32(SAMPLES)) - largest - log(sum)) - COMBINATION * mean;
  }
}
