// ∂f/∂x, element by element, an expression over the inputs, the constants and y = f(x, ...). Gives: elementwise_derivative.

fn elementwise_derivative($inputs, y: vec4f) -> vec4f {
  $constants
  return vec4f($derivative);
}
