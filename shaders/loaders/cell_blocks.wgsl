// Images with a row each, [N, H W C], seen in blocks of BLOCK x BLOCK pixels: a block is a pixel, the channels of its pixels are
// its channels, in the order row, column, channel. Needs: const BLOCK, OUTPUTS (C), BLOCKS_WIDTH (blocks beside each other).
// Gives: cell_$m.

/// Row and column of a channel of a block.
fn cell_$m(image: u32, pixel: u32, channel: u32) -> vec2u {
  let y = pixel / BLOCKS_WIDTH * BLOCK + channel / (BLOCK * OUTPUTS);
  return vec2u(image, (y * BLOCKS_WIDTH + pixel % BLOCKS_WIDTH) * BLOCK * OUTPUTS + channel % (BLOCK * OUTPUTS));
}
