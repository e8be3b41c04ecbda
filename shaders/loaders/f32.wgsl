// Loader: a matrix of floats. Needs: buffer $m of vec4f, const ROWS_$m. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  return $m[at(ROWS_$m, row, column4)];
}
