// The row that a dead code becomes, out of this batch. Needs: at_scalar, buffer z of f32, const ROWS_z. Gives: revived_at.

fn revived_at(origin: u32, row: u32, column: u32) -> f32 {
  return z[at_scalar(ROWS_z, origin, row)];
}
