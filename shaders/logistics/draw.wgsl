// x ~ p(x), from uniforms of (seed, number of the row, stream, index): of each pixel one for its component and one for each channel, which
// follows from those drawn before it.
// Needs: run_of, seen, logits_of, location_of, scale_of, log_sum, drawn, random_uniform, buffers state and y of f32, the array type
// PerComponent, const MIXTURE_ROWS, MIXTURE_STORED, PIXELS, MIXED, CHANNELS, STREAM_sample, VALID_sample (rows, padding left out).
// Gives: main.

fn uniform_of(row: u32, pixel: u32, index: u32) -> f32 {
  let number = pixel * (CHANNELS + 1u) + index;
  return random_uniform(state.seed, state.step * VALID_sample + row, STREAM_sample, number / 4u)[number % 4u];
}

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
      let chosen = uniform_of(row, pixel, 0u);
      var component = 0u;
      var below = 0.0;
      for (var m = 0u; m < MIXED; m++) {
        // Rounding may leave the sum short of 1: the last one takes the rest.
        component = select(component, m, below <= chosen);
        below += exp(logits[m / 4u][m % 4u] - normalizer);
      }
      for (var channel = 0u; channel < CHANNELS; channel++) {
        let g = component / 4u;
        let scale = scale_of(row, pixel, channel, g).value;
        let each = drawn(location_of(row, pixel, channel, g), scale, vec4f(uniform_of(row, pixel, channel + 1u)));
        let value = each[component % 4u];
        seen[channel] = vec4f(value - 0.5);
        y[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + channel)] = value;
      }
    }
  }
}
