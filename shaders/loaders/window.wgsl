// Loader: the windows that a convolution sees. A row for each pixel of the coarse image, a column for each pixel of its window
// on the fine image $m and each channel, channels padded to groups of four; zero outside of the image.
// Needs: load4_$m, cell_$m, const ROWS_$m, GROUPS4_$m (of channels), IMAGES, KERNEL, STRIDE, PADDING, FINE_HEIGHT, FINE_WIDTH,
// COARSE_HEIGHT, COARSE_WIDTH. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let pixel = row % (COARSE_HEIGHT * COARSE_WIDTH);
  let image = row / (COARSE_HEIGHT * COARSE_WIDTH);
  let tap = column4 / GROUPS4_$m;
  // What lies before the first row or column wraps around and is far beyond the last.
  let y = pixel / COARSE_WIDTH * STRIDE + tap / KERNEL - PADDING;
  let x = pixel % COARSE_WIDTH * STRIDE + tap % KERNEL - PADDING;
  let inside = y < FINE_HEIGHT && x < FINE_WIDTH && tap < KERNEL * KERNEL && image < IMAGES;
  let cell = cell_$m(image, y * FINE_WIDTH + x, 4u * (column4 % GROUPS4_$m));
  return select(vec4f(), load4_$m(select(0u, at(ROWS_$m, cell.x, cell.y >> 2u), inside)), inside);
}
