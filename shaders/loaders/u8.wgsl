// Loader: a matrix of bytes, each standing for byte / 255. Needs: buffer $m of u32, const ROWS_$m, REPEATS_$m (rows in a
// row that are the same). Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  return unpack4x8unorm($m[at(ROWS_$m, row / REPEATS_$m, column4)]);
}
