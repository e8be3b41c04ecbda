// The pixels that come before a pixel, row by row, and are no further than RADIUS rows or columns away: NEIGHBOURS of them. A pixel holds
// EACH items, of which the first ones come before the others. Needs: const HEIGHT, WIDTH, RADIUS, EACH. Gives: neighbour_pixel,
// follower_pixel, NO_PIXEL, ITEMS, OWN.

const SPAN = 2u * RADIUS + 1u;
const NO_PIXEL = 0xffffffffu;
/// Items of an image.
const ITEMS = HEIGHT * WIDTH * EACH;
/// Places of a context, beside the neighbours', for the earlier items of the pixel itself.
const OWN = min(EACH - 1u, 1u);

fn pixel_at(y: u32, x: u32) -> u32 {
  // What lies before the first row or column wraps around and is far beyond the last.
  return select(NO_PIXEL, y * WIDTH + x, y < HEIGHT && x < WIDTH);
}

/// The neighbour of a number.
fn neighbour_pixel(pixel: u32, number: u32) -> u32 {
  return pixel_at(pixel / WIDTH + number / SPAN - RADIUS, pixel % WIDTH + number % SPAN - RADIUS);
}

/// The pixel whose neighbour of that number this is.
fn follower_pixel(pixel: u32, number: u32) -> u32 {
  return pixel_at(pixel / WIDTH - number / SPAN + RADIUS, pixel % WIDTH - number % SPAN + RADIUS);
}
