// Images with a row each, [N, H W C]. Needs: const CHANNELS_$m. Gives: cell_$m.

/// Row and column of a channel of a pixel.
fn cell_$m(image: u32, pixel: u32, channel: u32) -> vec2u {
  return vec2u(image, pixel * CHANNELS_$m + channel);
}
