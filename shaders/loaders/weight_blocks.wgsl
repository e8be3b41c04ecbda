// The weights [K K C, OUTPUTS] of a transposed convolution as those of a convolution that forms blocks of BLOCK x BLOCK pixels
// from windows on the coarse image: output (y, x, o) of a block sees pixel t of its window by weight y + SHIFT - SPACING t, and
// has a zero where there is none.
// Needs: buffer b of vec4f, const ROWS_b, CHANNELS_b (C), BLOCK, OUTPUTS, SHIFT, SPACING, SIDE (K).
// Gives: weight_of.

fn weight_of(tap: vec2u, channel: u32, column: u32) -> f32 {
  let place = vec2u(column / (BLOCK * OUTPUTS), column / OUTPUTS % BLOCK);
  let output = column % OUTPUTS;
  // What lies before the first weight wraps around and is far beyond the last.
  let weight = place + SHIFT - SPACING * tap;
  let inside = weight.x < SIDE && weight.y < SIDE && channel < CHANNELS_b && place.x < BLOCK;
  let index = at(ROWS_b, (weight.x * SIDE + weight.y) * CHANNELS_b + channel, output >> 2u);
  return select(0.0, b[select(0u, index, inside)][output & 3u], inside);
}
