// Loader: one row of a matrix, the same for every row asked for. Needs: buffer $m of vec4f, const ROWS_$m, ROW_$m.
// Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  return $m[at(ROWS_$m, ROW_$m, column4)];
}
