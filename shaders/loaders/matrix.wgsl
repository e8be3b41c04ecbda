// Loader: a matrix. Needs: load4_$m, const ROWS_$m, REPEATS_$m (rows in a row that are the same). Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  return load4_$m(at(ROWS_$m, row / REPEATS_$m, column4));
}
