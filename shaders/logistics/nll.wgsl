// -log p(x) of the pixels of a run, summed. Needs: weigh, log_sum, run_of, buffer nll of f32, const MIXTURE_ROWS, MIXTURE_STORED, PIXELS.
// Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let run = run_of(id, groups);
  if (run.first < PIXELS) {
    var sum = 0.0;
    if (run.row < MIXTURE_ROWS) {
      for (var pixel = run.first; pixel < run.end; pixel++) {
        let found = weigh(run.row, pixel);
        sum += log_sum(
          //: repeat g 0..$groups
          found.logits_$g,
          //: end
        ) - log_sum(
          //: repeat g 0..$groups
          found.joint_$g,
          //: end
        );
      }
    }
    nll[run.part * MIXTURE_STORED + run.row] = sum;
  }
}
