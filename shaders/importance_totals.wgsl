// What is kept of all draws of a datum so far, in constant memory, with a = SIGN * log w = -SIGN * (nll + divergence) of each draw:
//   totals[2 row]     = (Σ exp(a - m), Σ exp(a - m)², Σ (nll - first), m) of the latest draws, m the largest a of all
//   totals[2 row + 1] = (the same three sums of the draws before them, first), first the nll of the first draw
// A float32 that has grown large loses what is added to it, so sums start anew every FOLD steps, and each is added to the older ones as
// a whole; of nll the differences from the first draw are summed. Both hold wherever a compiler reorders additions, as compensated
// sums do not.
// Needs: buffers state, nll, divergence, kl and divergences of f32, totals of vec4f; const BATCH, SAMPLES (draws of a datum a step), FOLD
// and the stored rows and parts ROWS_nll, PARTS_nll, ROWS_divergence, PARTS_divergence, ROWS_kl, PARTS_kl; float SIGN. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let batches = (state.count + BATCH - 1u) / BATCH;
  let row = (state.step % batches) * BATCH + id.x;
  if (id.x < BATCH && row < state.count) {
    var recent = totals[2u * row];
    var older = totals[2u * row + 1u];
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
      // Nothing has been counted yet where both sums of weights are 0: the largest counts 1.
      if (recent.x + older.x == 0.0) {
        recent = vec4f(1.0, 1.0, 0.0, log_weight);
        older = vec4f(0.0, 0.0, 0.0, nll_sum);
      } else {
        if (log_weight > recent.w) {
          let scale = exp(recent.w - log_weight);
          let scales = vec4f(scale, scale * scale, 1.0, 1.0);
          recent *= scales;
          older *= scales;
          recent.w = log_weight;
        }
        let weight = exp(log_weight - recent.w);
        recent += vec4f(weight, weight * weight, nll_sum - older.w, 0.0);
      }
    }
    if ((state.step / batches + 1u) % FOLD == 0u) {
      older += vec4f(recent.xyz, 0.0);
      recent = vec4f(0.0, 0.0, 0.0, recent.w);
    }
    totals[2u * row] = recent;
    totals[2u * row + 1u] = older;
    var kl_sum = 0.0;
    for (var part = 0u; part < PARTS_kl; part++) {
      kl_sum += kl[part * ROWS_kl + id.x];
    }
    divergences[row] = kl_sum;
  }
}
