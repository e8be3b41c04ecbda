// dL/dvalue of what became a column: the column's gradient. It knows no importance of draws, so that a gradient that needs it does not
// compile. Needs: buffer column_$m of vec4f, const ROWS_column_$m, VALID_$m. Gives: upstream_$m.

fn upstream_$m(row: u32) -> f32 {
  return select(0.0, column_$m[at(ROWS_column_$m, min(row, VALID_$m - 1u), 0u)].x, row < VALID_$m);
}
