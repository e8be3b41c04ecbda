// Biases take steps BIAS_FACTOR times as long as weights. Source: MatConvNet's and Caffe's examples, with a factor of 2.
// Needs: const ROWS_parameter, BIAS_ROW_parameter, BIAS_FACTOR. Gives: $rule.

fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
  return select(gradient, BIAS_FACTOR * gradient, (index >> 3u) % ROWS_parameter == BIAS_ROW_parameter);
}
