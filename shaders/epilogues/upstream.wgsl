// dL/dvalue of a term of the loss, value being one number a row: its weight at this step, over the batch; 0 in the padding.
// Needs: scalar, const TERM_$m, VALID_$m. Gives: upstream_$m,
// importance_$m.

fn upstream_$m(row: u32) -> f32 {
  return select(0.0, scalar(TERM_$m), row < VALID_$m);
}

/// Only an importance-weighted bound has draws of different importance.
fn importance_$m(row: u32) -> f32 {
  return 1.0;
}
