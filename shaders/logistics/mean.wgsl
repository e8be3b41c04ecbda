// E[x] of each channel: Σ_m π_m times the mean of component m at the means of its channels before.
// Needs: run_of, seen, logits_of, location_of, scale_of, log_sum, mean, buffer y of f32, PerComponent, const MIXTURE_ROWS,
// MIXTURE_STORED, PIXELS, CHANNELS. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let run = run_of(id, groups);
  let row = run.row;
  if (run.first < PIXELS && row < MIXTURE_ROWS) {
    for (var pixel = run.first; pixel < run.end; pixel++) {
      var logits: PerComponent;
      for (var g = 0u; g < COMPONENTS4; g++) {
        logits[g] = logits_of(row, pixel, g);
      }
      let normalizer = log_sum(logits);
      for (var g = 0u; g < COMPONENTS4; g++) {
        let part = exp(logits[g] - normalizer);
        for (var channel = 0u; channel < CHANNELS; channel++) {
          let each = mean(location_of(row, pixel, channel, g), scale_of(row, pixel, channel, g).value);
          seen[channel] = each - 0.5;
          let place = at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + channel);
          y[place] = select(y[place], 0.0, g == 0u) + dot(part, each);
        }
      }
    }
  }
}
