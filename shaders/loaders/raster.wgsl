// Pixels of images in their order, row by row. Needs: const PIXELS. Gives: place_of.

/// Image and pixel of a row; padding is beyond the last image.
fn place_of(row: u32) -> vec2u {
  return vec2u(row / PIXELS, row % PIXELS);
}
