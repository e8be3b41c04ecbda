// What the components say of a pixel: logits, and log π Π_c P(x_c) but for the normalizer of the logits.
// Needs: seen, logits_of, location_of, scale_of, likelihood, load_data (x), counts, PerComponent, const CHANNELS.
// Gives: Weighed, weigh, value_at, counted.

struct Weighed {
  logits: PerComponent,
  joint: PerComponent,
}

fn value_at(row: u32, column: u32) -> f32 {
  return load_data(row, column / 4u)[column % 4u];
}

fn counted(row: u32, column: u32) -> bool {
  return counts(row, column / 4u)[column % 4u];
}

fn weigh(row: u32, pixel: u32) -> Weighed {
  var found: Weighed;
  for (var channel = 0u; channel < CHANNELS; channel++) {
    seen[channel] = vec4f(value_at(row, pixel * CHANNELS + channel) - 0.5);
  }
  for (var g = 0u; g < COMPONENTS4; g++) {
    let logits = logits_of(row, pixel, g);
    var joint = logits;
    for (var channel = 0u; channel < CHANNELS; channel++) {
      if (counted(row, pixel * CHANNELS + channel)) {
        let scale = scale_of(row, pixel, channel, g).value;
        joint -= likelihood(location_of(row, pixel, channel, g), scale, seen[channel] + 0.5).nll;
      }
    }
    found.logits[g] = logits;
    found.joint[g] = joint;
  }
  return found;
}
