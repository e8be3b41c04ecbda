// The row that a dead code becomes, of the rank that has it. Needs: at_scalar, buffer revived of f32, const ROWS_revived. Gives: revived_at.

fn revived_at(origin: u32, row: u32, column: u32) -> f32 {
  return revived[at_scalar(ROWS_revived, row, column)];
}
