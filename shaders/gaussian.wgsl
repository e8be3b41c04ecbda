// A diagonal Gaussian whose mean and log-variance are the first and the last K columns of one matrix of 2 K columns. The
// log-variance is clamped to [-30, 20], where float32 can still square the deviation; beyond, its gradient is zero.
// Needs: buffer statistics of f32, const ROWS_statistics, REPEATS_statistics (draws for a row),
// LATENTS. Gives: mean_at, log_variance_at, within.

fn mean_at(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < LATENTS) {
    v[$c] = statistics[at_scalar(ROWS_statistics, row / REPEATS_statistics, 4u * column4 + $cu)];
  }
  //: end
  return v;
}

fn unclamped_log_variance_at(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < LATENTS) {
    v[$c] = statistics[at_scalar(ROWS_statistics, row / REPEATS_statistics, LATENTS + 4u * column4 + $cu)];
  }
  //: end
  return v;
}

fn log_variance_at(row: u32, column4: u32) -> vec4f {
  return clamp(unclamped_log_variance_at(row, column4), vec4f(-30.0), vec4f(20.0));
}

/// 1 where the log-variance is not clamped, else 0.
fn within(row: u32, column4: u32) -> vec4f {
  let v = unclamped_log_variance_at(row, column4);
  return select(vec4f(), vec4f(1.0), v == clamp(v, vec4f(-30.0), vec4f(20.0)));
}
