// The rows of a context are the pixels of all images: [N POSITIONS, ...]. Needs: const POSITIONS. Gives: pixel_of, first_row.

fn pixel_of(row: u32) -> u32 {
  return row % POSITIONS;
}

/// The row of the first pixel of the same image.
fn first_row(row: u32) -> u32 {
  return row - row % POSITIONS;
}
