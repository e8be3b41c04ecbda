// dL/dvalue of what an importance-weighted bound reads: the bound's own times the draw's normalised weight; 0 in the padding.
// Needs: upstream_$m_bound, buffer importance of f32, const FIRST_$m (the place of its weights), VALID_$m, DRAWS_$m (of a datum). Gives: upstream_$m, importance_$m.

fn importance_$m(row: u32) -> f32 {
  return select(0.0, importance[FIRST_$m + min(row, VALID_$m - 1u)], row < VALID_$m);
}

fn upstream_$m(row: u32) -> f32 {
  return upstream_$m_bound(row / DRAWS_$m) * importance_$m(row);
}
