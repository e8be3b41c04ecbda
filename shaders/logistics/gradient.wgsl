// The gradients of -log p(x) by the locations of the first component and by all numbers of the mixture, times the upstream: π - r for
// logits, r the part of a component in a pixel, and r times the derivatives of its logistics for what those are made of.
// Needs: weigh, value_at, counted, log_sum, run_of, seen, location_of, scale_of, coefficients_of, distance_place, scale_place,
// coefficient_place, likelihood, upstream_nll, buffers to_location and to_mixture of f32, const MIXTURE_ROWS, MIXTURE_STORED, PIXELS, MIXED,
// CHANNELS, WIDTH, AUTOREGRESSIVE. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let run = run_of(id, groups);
  let row = run.row;
  if (run.first < PIXELS && row < MIXTURE_ROWS) {
    let weight = upstream_nll(row);
    for (var pixel = run.first; pixel < run.end; pixel++) {
      var found = weigh(row, pixel);
      let normalizer = log_sum(found.logits);
      let total = log_sum(found.joint);
      let first = pixel * WIDTH;
      for (var channel = 0u; channel < CHANNELS; channel++) {
        to_location[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + channel)] = 0.0;
      }
      for (var g = 0u; g < COMPONENTS4; g++) {
        let part = exp(found.joint[g] - total);
        let to_logits = weight * (exp(found.logits[g] - normalizer) - part);
        //: repeat c 0..4
        if (4u * g + $cu > 0u && 4u * g + $cu < MIXED) {
          to_mixture[at_scalar(MIXTURE_STORED, row, first + 4u * g + $cu - 1u)] = to_logits[$c];
        }
        //: end
        for (var channel = 0u; channel < CHANNELS; channel++) {
          let column = pixel * CHANNELS + channel;
          let scale = scale_of(row, pixel, channel, g);
          let slopes = likelihood(location_of(row, pixel, channel, g), scale.value, seen[channel] + 0.5);
          let valid = select(0.0, weight, counted(row, column));
          let to_each = valid * part * slopes.to_location;
          let to_scale = valid * part * slopes.to_scale * scale.slope;
          to_location[at_scalar(MIXTURE_STORED, row, column)] += dot(to_each, vec4f(1.0));
          //: repeat c 0..4
          if (4u * g + $cu < MIXED) {
            let component = 4u * g + $cu;
            to_mixture[at_scalar(MIXTURE_STORED, row, first + scale_place(component, channel))] = to_scale[$c];
            if (component > 0u) {
              to_mixture[at_scalar(MIXTURE_STORED, row, first + distance_place(component, channel))] = to_each[$c];
            }
          }
          //: end
          if (AUTOREGRESSIVE) {
            for (var earlier = 0u; earlier < channel; earlier++) {
              let bent = coefficients_of(row, pixel, channel, earlier, g);
              let to_coefficients = to_each * seen[earlier] * (1.0 - bent * bent);
              //: repeat c 0..4
              if (4u * g + $cu < MIXED) {
                let place = first + coefficient_place(4u * g + $cu, channel, earlier);
                to_mixture[at_scalar(MIXTURE_STORED, row, place)] = to_coefficients[$c];
              }
              //: end
            }
          }
        }
      }
    }
  }
}
