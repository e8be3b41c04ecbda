// Which code a row has. Codes [N, POSITIONS] hold a row for each datum; a matrix of CODED rows has one for each position of each.
// Needs: at_scalar, buffer codes of f32, const ROWS_codes, POSITIONS, CODED. Gives: code_of.

fn code_of(row: u32) -> u32 {
  let coded = min(row, CODED - 1u);
  return u32(codes[at_scalar(ROWS_codes, coded / POSITIONS, coded % POSITIONS)]);
}
