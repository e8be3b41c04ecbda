// dL/dvalue of what an absolute difference reads: the difference's own times its sign; 0 in the padding.
// Needs: upstream_$m_difference, buffer sign_of of f32, const VALID_$m. Gives: upstream_$m,
// importance_$m.

fn upstream_$m(row: u32) -> f32 {
  return select(0.0, upstream_$m_difference(row) * sign_of[min(row, VALID_$m - 1u)], row < VALID_$m);
}

/// Only an importance-weighted bound has draws of different importance.
fn importance_$m(row: u32) -> f32 {
  return 1.0;
}
