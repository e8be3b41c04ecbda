// dL/dvalue of what an importance-weighted bound reads: the bound's weight times the draw's normalised weight; 0 in the padding.
// Needs: scalar, buffer importance of f32, const TERM_$m, LIVE_$m. Gives: upstream_$m, importance_$m.

fn importance_$m(row: u32) -> f32 {
  return select(0.0, importance[min(row, LIVE_$m - 1u)], row < LIVE_$m);
}

fn upstream_$m(row: u32) -> f32 {
  return scalar(TERM_$m) * importance_$m(row);
}
