// Loader: images with a row each, [N, H' W' OUTPUTS], as sums of what the pixels of a coarse image gave to each of theirs
// (weights_taps.wgsl), with the bias.
// Needs: load1_b, buffer given of f32 (a row for each coarse pixel), const ROWS_given, ROWS_b, ROW_bias_b, OUTPUTS, KERNEL,
// STRIDE, PADDING, FINE_HEIGHT, FINE_WIDTH, COARSE_HEIGHT, COARSE_WIDTH, IMAGES. Gives: load_a.

/// One element: of the weights of a row of the kernel every STRIDE-th meets the pixel.
fn scattered(image: u32, column: u32) -> f32 {
  let output = column % OUTPUTS;
  let y = column / OUTPUTS / FINE_WIDTH + PADDING;
  let x = column / OUTPUTS % FINE_WIDTH + PADDING;
  var sum = load1_b(at(ROWS_b, ROW_bias_b, output >> 2u), output & 3u);
  for (var ky = y % STRIDE; ky < KERNEL; ky += STRIDE) {
    // What lies before the first row or column wraps around and is far beyond the last.
    let from_y = (y - ky) / STRIDE;
    for (var kx = x % STRIDE; kx < KERNEL; kx += STRIDE) {
      let from_x = (x - kx) / STRIDE;
      let inside = ky <= y && kx <= x && from_y < COARSE_HEIGHT && from_x < COARSE_WIDTH;
      let row = (image * COARSE_HEIGHT + from_y) * COARSE_WIDTH + from_x;
      let column_given = (ky * KERNEL + kx) * OUTPUTS + output;
      sum += select(0.0, given[select(0u, 4u * at(ROWS_given, row, column_given >> 2u) + (column_given & 3u), inside)], inside);
    }
  }
  return sum;
}

fn load_a(row: u32, column4: u32) -> vec4f {
  let first = 4u * column4;
  if (row >= IMAGES || first >= FINE_HEIGHT * FINE_WIDTH * OUTPUTS) {
    return vec4f();
  }
  return vec4f(
    scattered(row, first),
    scattered(row, first + 1u),
    scattered(row, first + 2u),
    scattered(row, first + 3u),
  );
}
