// Which column of a table a row's code names. Codes [N, POSITIONS] hold a row for each datum, a matrix of CODED rows one for each code
// of each; the codes of CODEBOOKS codebooks come in turn, and code k of codebook m is column m CODES_each + k of the table.
// Needs: at_scalar, buffer codes of f32, const ROWS_codes, POSITIONS, CODED, CODEBOOKS, CODES_each. Gives: code_of.

fn code_of(row: u32) -> u32 {
  let coded = min(row, CODED - 1u);
  let code = u32(codes[at_scalar(ROWS_codes, coded / POSITIONS, coded % POSITIONS)]);
  return coded % CODEBOOKS * CODES_each + code;
}
