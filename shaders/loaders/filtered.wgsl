// Loader: a filter along one axis of images, y[i] = Σ_k w_k x[stride i + k] where it lies within. An image is OUTER x FROM x INNER numbers,
// and becomes OUTER x TO x INNER. Needs: at_scalar, buffer source of f32, const ROWS_source, COLUMNS_filtered, FROM, TO, INNER, STRIDE, and the
// $taps weights TAP_0 .... Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS_filtered) {
    let d = 4u * column4 + $cu;
    let first = (d / INNER / TO * FROM + d / INNER % TO * STRIDE) * INNER + d % INNER;
    var sum = 0.0;
    //: repeat k 0..$taps
    sum += TAP_$k * source[at_scalar(ROWS_source, row, first + $ku * INNER)];
    //: end
    v[$c] = sum;
  }
  //: end
  return v;
}
