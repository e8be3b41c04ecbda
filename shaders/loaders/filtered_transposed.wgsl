// Loader: the gradient of what a filter read, dx[i] = Σ_k w_k dy[(i - k) / stride], where that is a whole number within. Needs: at_scalar, buffer
// source of f32 (dy), const ROWS_source, COLUMNS_filtered (of x), FROM, TO, INNER, STRIDE, and the $taps weights TAP_0 .... Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS_filtered) {
    let d = 4u * column4 + $cu;
    let i = d / INNER % FROM;
    let first = d / INNER / FROM * TO;
    var sum = 0.0;
    //: repeat k 0..$taps
    if (i >= $ku && (i - $ku) % STRIDE == 0u && (i - $ku) / STRIDE < TO) {
      sum += TAP_$k * source[at_scalar(ROWS_source, row, (first + (i - $ku) / STRIDE) * INNER + d % INNER)];
    }
    //: end
    v[$c] = sum;
  }
  //: end
  return v;
}
