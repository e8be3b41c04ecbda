// Loader: the windows of window.wgsl, for any number of channels: columns are the pixels of the window times the channels with
// no padding between, one load each.
// Needs: load1_$m, cell_$m, const ROWS_$m, CHANNELS_$m, IMAGES, KERNEL, STRIDE, PADDING, FINE_HEIGHT, FINE_WIDTH, COARSE_HEIGHT,
// COARSE_WIDTH. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let pixel = row % (COARSE_HEIGHT * COARSE_WIDTH);
  let image = row / (COARSE_HEIGHT * COARSE_WIDTH);
  let corner_y = pixel / COARSE_WIDTH * STRIDE - PADDING;
  let corner_x = pixel % COARSE_WIDTH * STRIDE - PADDING;
  //: repeat i 0..4
  let tap_$i = (4u * column4 + $iu) / CHANNELS_$m;
  let y_$i = corner_y + tap_$i / KERNEL;
  let x_$i = corner_x + tap_$i % KERNEL;
  let inside_$i = y_$i < FINE_HEIGHT && x_$i < FINE_WIDTH && tap_$i < KERNEL * KERNEL && image < IMAGES;
  let cell_$i = cell_$m(image, y_$i * FINE_WIDTH + x_$i, (4u * column4 + $iu) % CHANNELS_$m);
  let value_$i = select(0.0, load1_$m(select(0u, at(ROWS_$m, cell_$i.x, cell_$i.y >> 2u), inside_$i), cell_$i.y & 3u), inside_$i);
  //: end
  return vec4f(value_0, value_1, value_2, value_3);
}
