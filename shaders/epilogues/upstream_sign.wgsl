// dL/dvalue of what an absolute difference reads: its weight times its sign; 0 in the padding.
// Needs: scalar, buffer sign_of of f32, const TERM_$m, LIVE_$m. Gives: upstream_$m,
// importance_$m.

fn upstream_$m(row: u32) -> f32 {
  return select(0.0, scalar(TERM_$m) * sign_of[min(row, LIVE_$m - 1u)], row < LIVE_$m);
}

/// Only an importance-weighted bound has draws of different importance.
fn importance_$m(row: u32) -> f32 {
  return 1.0;
}
