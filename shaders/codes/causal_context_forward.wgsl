// Loader: the channels of each pixel's neighbours side by side, zero outside of the image, then an indicator of the pixel's position.
// Needs: neighbour_pixel, NO_PIXEL, pixel_of, first_row, buffer image of vec4f, const ROWS_image, ROWS_valid, CHANNELS4, NEIGHBOURS.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  if (row >= ROWS_valid) {
    return vec4f();
  }
  let pixel = pixel_of(row);
  if (column4 >= NEIGHBOURS * CHANNELS4) {
    let positions = 4u * (column4 - NEIGHBOURS * CHANNELS4) + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(), vec4f(1.0), positions == vec4u(pixel));
  }
  let neighbour = neighbour_pixel(pixel, column4 / CHANNELS4);
  let from_row = first_row(row) + select(neighbour, 0u, neighbour == NO_PIXEL);
  return select(image[at(ROWS_image, from_row, column4 % CHANNELS4)], vec4f(), neighbour == NO_PIXEL);
}
