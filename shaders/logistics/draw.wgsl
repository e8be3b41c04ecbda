// x ~ p(x), from uniforms of (seed, number of the row, stream, index): of each pixel one for its component and one for each channel, which
// follows from those drawn before it.
// Needs: run_of, mixture_number, logits_of, base_of, distance_place, scale_place, coefficient_place, bend, bounded, log_sum, drawn,
// random_uniform, buffers state and y of f32, const MIXTURE_ROWS, MIXTURE_STORED, PIXELS, MIXED, CHANNELS, STREAM_sample, VALID_sample (rows,
// padding left out). Gives: main.

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
      //: repeat g 0..$groups
      let logits_$g = logits_of(row, pixel, $gu);
      //: end
      let normalizer = log_sum(
        //: repeat g 0..$groups
        logits_$g,
        //: end
      );
      let chosen = uniform_of(row, pixel, 0u);
      var component = 0u;
      var below = 0.0;
      //: repeat g 0..$groups
      {
        let part = exp(logits_$g - normalizer);
        //: repeat c 0..4
        // Rounding may leave the sum short of 1: the last one takes the rest.
        component = select(component, 4u * $gu + $cu, below <= chosen && 4u * $gu + $cu < MIXED);
        below += part[$c];
        //: end
      }
      //: end
      //: repeat k 0..$channels
      var at_$k = base_of(row, pixel, $ku);
      if (component > 0u) {
        at_$k += mixture_number(row, pixel, distance_place(component, $ku));
      }
      //: repeat _ 0..$bends
      //: repeat e 0..$k
      at_$k += bend(vec4f(mixture_number(row, pixel, coefficient_place(component, $ku, $eu)))).x * (x_$e - 0.5);
      //: end
      //: end
      let scale_$k = bounded(vec4f(mixture_number(row, pixel, scale_place(component, $ku)))).value;
      let x_$k = drawn(vec4f(at_$k), scale_$k, vec4f(uniform_of(row, pixel, $ku + 1u))).x;
      y[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + $ku)] = x_$k;
      //: end
    }
  }
}
