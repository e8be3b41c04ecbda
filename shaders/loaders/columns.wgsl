// Loader: columns FIRST_$m ... of a matrix of floats, COLUMNS_$m of them. Needs: at_scalar, buffer $m of f32, const ROWS_$m,
// REPEATS_$m, FIRST_$m, COLUMNS_$m. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS_$m) {
    v[$c] = $m[at_scalar(ROWS_$m, row / REPEATS_$m, FIRST_$m + 4u * column4 + $cu)];
  }
  //: end
  return v;
}
