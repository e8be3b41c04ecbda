// E[x] of each channel: Σ_m π_m times the mean of component m at the means of its channels before.
// Needs: run_of, logits_of, base_of, distances_of, scale_of, coefficients_of, log_sum, mean, buffer y of f32, const MIXTURE_ROWS,
// MIXTURE_STORED, PIXELS, CHANNELS. Gives: main.

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
      //: repeat k 0..$channels
      var sum_$k = 0.0;
      //: end
      //: repeat g 0..$groups
      let part_$g = exp(logits_$g - normalizer);
      //: repeat k 0..$channels
      var at_$g_$k = base_of(row, pixel, $ku) + distances_of(row, pixel, $ku, $gu);
      //: repeat _ 0..$bends
      //: repeat e 0..$k
      at_$g_$k += coefficients_of(row, pixel, $ku, $eu, $gu) * (mean_$g_$e - 0.5);
      //: end
      //: end
      let mean_$g_$k = mean(at_$g_$k, scale_of(row, pixel, $ku, $gu).value);
      sum_$k += dot(part_$g, mean_$g_$k);
      //: end
      //: end
      //: repeat k 0..$channels
      y[at_scalar(MIXTURE_STORED, row, pixel * CHANNELS + $ku)] = sum_$k;
      //: end
    }
  }
}
