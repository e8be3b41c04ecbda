// The gradients of -log p(x) by the locations of the first component and by all numbers of the mixture, times the upstream: π - r for
// logits, r the part of a component in a pixel, and r times the derivatives of its logistics for what those are made of.
// Needs: weigh, value_at, log_sum, run_of, coefficients_of, distance_place, scale_place, coefficient_place, upstream_nll, buffers to_location
// and to_mixture of f32, const MIXTURE_ROWS, MIXTURE_STORED, PIXELS, MIXED, CHANNELS, WIDTH. Gives: main.

fn give(row: u32, pixel: u32, place: u32, value: f32) {
  to_mixture[at_scalar(MIXTURE_STORED, row, pixel * WIDTH + place)] = value;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let run = run_of(id, groups);
  let row = run.row;
  if (run.first < PIXELS && row < MIXTURE_ROWS) {
    let weight = upstream_nll(row);
    for (var pixel = run.first; pixel < run.end; pixel++) {
      let found = weigh(row, pixel);
      let normalizer = log_sum(
        //: repeat g 0..$groups
        found.logits_$g,
        //: end
      );
      let total = log_sum(
        //: repeat g 0..$groups
        found.joint_$g,
        //: end
      );
      //: repeat k 0..$channels
      var to_base_$k = 0.0;
      //: end
      //: repeat g 0..$groups
      let part_$g = weight * exp(found.joint_$g - total);
      let to_logits_$g = weight * exp(found.logits_$g - normalizer) - part_$g;
      //: repeat c 0..4
      if (4u * $gu + $cu > 0u && 4u * $gu + $cu < MIXED) {
        give(row, pixel, 4u * $gu + $cu - 1u, to_logits_$g[$c]);
      }
      //: end
      //: repeat k 0..$channels
      let to_each_$g_$k = part_$g * found.to_location_$g_$k;
      let to_scale_$g_$k = part_$g * found.to_scale_$g_$k;
      to_base_$k += dot(to_each_$g_$k, vec4f(1.0));
      //: repeat c 0..4
      if (4u * $gu + $cu < MIXED) {
        give(row, pixel, scale_place(4u * $gu + $cu, $ku), to_scale_$g_$k[$c]);
        if (4u * $gu + $cu > 0u) {
          give(row, pixel, distance_place(4u * $gu + $cu, $ku), to_each_$g_$k[$c]);
        }
      }
      //: end
      //: repeat _ 0..$bends
      //: repeat e 0..$k
      {
        let bent = coefficients_of(row, pixel, $ku, $eu, $gu);
        let apart = value_at(row, pixel * CHANNELS + $eu) - 0.5;
        let to_given = to_each_$g_$k * apart * (1.0 - bent * bent);
        //: repeat c 0..4
        if (4u * $gu + $cu < MIXED) {
          give(row, pixel, coefficient_place(4u * $gu + $cu, $ku, $eu), to_given[$c]);
        }
        //: end
      }
      //: end
      //: end
      //: end
      //: end
      //: repeat k 0..$channels
      to_location[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + $ku)] = to_base_$k;
      //: end
    }
  }
}
