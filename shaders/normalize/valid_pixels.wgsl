// How many pixels of a normalization's batch are data. Needs: valid_rows, const COUNT, VALID_PIXELS (of a row of the batch; 0 where there
// are rows of another kind, all of them data). Gives: valid_pixels.

fn valid_pixels() -> u32 {
  return select(valid_rows() * VALID_PIXELS, COUNT, VALID_PIXELS == 0u);
}
