// Loader: for each row the column of a table [DEPTH, K] that its code names; zero in the padding.
// Needs: code_of, at_scalar, buffer table of f32, const ROWS_table, DEPTH, CODED. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  let code = code_of(row);
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < DEPTH && row < CODED) {
    v[$c] = table[at_scalar(ROWS_table, 4u * column4 + $cu, code)];
  }
  //: end
  return v;
}
