// Loader: w_k y side by side for every component k, FEATURES columns each.
// Needs: at_scalar, buffers source (y) and weights (w) of f32, const ROWS_source, ROWS_weights, FEATURES, COLUMNS. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS) {
    let k = (4u * column4 + $cu) / FEATURES;
    let feature = (4u * column4 + $cu) % FEATURES;
    v[$c] = weights[at_scalar(ROWS_weights, row, k)] * source[at_scalar(ROWS_source, row, feature)];
  }
  //: end
  return v;
}
