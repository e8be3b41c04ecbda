// Images with a row for every pixel and a column for every channel, [N H W, C]. Needs: const PIXELS_$m. Gives: cell_$m.

/// Row and column of a channel of a pixel.
fn cell_$m(image: u32, pixel: u32, channel: u32) -> vec2u {
  return vec2u(image * PIXELS_$m + pixel, channel);
}
