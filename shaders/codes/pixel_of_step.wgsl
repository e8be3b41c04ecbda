// The rows of a context are images, each at the pixel whose turn it is: step t is that of pixel t % POSITIONS.
// Needs: buffer state, const POSITIONS. Gives: pixel_of, first_row.

fn pixel_of(_row: u32) -> u32 {
  return state.step % POSITIONS;
}

/// The row of the first pixel of the same image.
fn first_row(row: u32) -> u32 {
  return row * POSITIONS;
}
