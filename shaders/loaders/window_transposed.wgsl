// Loader: what a transposed convolution sees. A row for each pixel of the fine image, residue by residue; a column for each weight
// that meets it and each channel of the coarse image $m, channels padded to groups of four; zero outside of the image.
// Needs: load4_$m, cell_$m, fine_image, fine_y, fine_x, tap_of, const ROWS_$m, GROUPS4_$m (of channels), IMAGES, KERNEL,
// STRIDE, PADDING, COARSE_HEIGHT, COARSE_WIDTH. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let tap = tap_of(column4 / GROUPS4_$m);
  // What lies before the first row or column wraps around and is far beyond the last.
  let from_y = fine_y(row) + PADDING - tap.x;
  let from_x = fine_x(row) + PADDING - tap.y;
  let y = from_y / STRIDE;
  let x = from_x / STRIDE;
  let meets = from_y % STRIDE == 0u && from_x % STRIDE == 0u && y < COARSE_HEIGHT && x < COARSE_WIDTH;
  let image = fine_image(row);
  let inside = meets && tap.x < KERNEL && tap.y < KERNEL && image < IMAGES;
  let cell = cell_$m(image, y * COARSE_WIDTH + x, 4u * (column4 % GROUPS4_$m));
  return select(vec4f(), load4_$m(select(0u, at(ROWS_$m, cell.x, cell.y >> 2u), inside)), inside);
}
