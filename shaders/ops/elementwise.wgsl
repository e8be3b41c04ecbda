// y = f(x, ...), element by element, f an expression over the inputs and constants. Gives: elementwise_value.

fn elementwise_value($inputs) -> vec4f {
  $constants
  return vec4f($value);
}
