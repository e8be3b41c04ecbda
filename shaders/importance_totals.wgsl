// What is kept of all draws of a datum so far, in constant memory, with log w = SIGN * -(nll + divergence) of each draw:
//   totals[row] = (m, Σ exp(log w - m), Σ exp(log w - m)², Σ nll), m the largest log w.
// Needs: buffers state, nll, divergence, kl and divergences of f32, totals of vec4f; const BATCH, SAMPLES (draws of a datum a step), and
// the stored rows and parts ROWS_nll, PARTS_nll, ROWS_divergence, PARTS_divergence, ROWS_kl, PARTS_kl; float SIGN. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let batches = (state.count + BATCH - 1u) / BATCH;
  let row = (state.step % batches) * BATCH + id.x;
  if (id.x < BATCH && row < state.count) {
    var total = totals[row];
    for (var i = 0u; i < SAMPLES; i++) {
      let draw = id.x * SAMPLES + i;
      var nll_sum = 0.0;
      for (var part = 0u; part < PARTS_nll; part++) {
        nll_sum += nll[part * ROWS_nll + draw];
      }
      var divergence_sum = 0.0;
      for (var part = 0u; part < PARTS_divergence; part++) {
        divergence_sum += divergence[part * ROWS_divergence + draw];
      }
      let log_weight = -SIGN * (nll_sum + divergence_sum);
      // Nothing has been counted yet where the sum is 0.
      if (total.y == 0.0 || log_weight > total.x) {
        let scale = select(exp(total.x - log_weight), 0.0, total.y == 0.0);
        total = vec4f(log_weight, total.y * scale + 1.0, total.z * scale * scale + 1.0, total.w);
      } else {
        let weight = exp(log_weight - total.x);
        total.y += weight;
        total.z += weight * weight;
      }
      total.w += nll_sum;
    }
    totals[row] = total;
    var kl_sum = 0.0;
    for (var part = 0u; part < PARTS_kl; part++) {
      kl_sum += kl[part * ROWS_kl + id.x];
    }
    divergences[row] = kl_sum;
  }
}
