// Which features count: those that are observed, where `observed` is not 0. Needs: columns_below, load_observed, const COLUMNS.
// Gives: counts.

fn counts(row: u32, column4: u32) -> vec4<bool> {
  return columns_below(COLUMNS, column4) & (load_observed(row, column4) != vec4f());
}
