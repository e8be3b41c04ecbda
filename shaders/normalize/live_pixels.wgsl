// How many pixels of a normalization's batch are data. Needs: live_rows, const COUNT, LIVE_PIXELS (of a row of the batch; 0 where there
// are rows of another kind, all of them data). Gives: live_pixels.

fn live_pixels() -> u32 {
  return select(live_rows() * LIVE_PIXELS, COUNT, LIVE_PIXELS == 0u);
}
