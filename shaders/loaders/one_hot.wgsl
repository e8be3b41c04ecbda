// Loader: mean r and log-variance log(r (1 - r)), not below -30, of the indicators of a categorical distribution; K columns each.
// Needs: at_scalar, buffer probabilities of f32, const ROWS_probabilities, COMPONENTS. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < 2u * COMPONENTS) {
    let column = 4u * column4 + $cu;
    let r = probabilities[at_scalar(ROWS_probabilities, row, column % COMPONENTS)];
    v[$c] = select(r, log(max(r * (1.0 - r), exp(-30.0))), column >= COMPONENTS);
  }
  //: end
  return v;
}
