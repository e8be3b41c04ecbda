// Hands the values of a pixel to the epilogue where they are stored, and those of the padding nowhere. For epilogues without
// row_sum. Needs: store, place_of, cell_out, const CHANNELS_out, IMAGES. Gives: place.

fn place(row: u32, column4: u32, value: vec4f) {
  let to = place_of(row);
  if (to.x < IMAGES && 4u * column4 < CHANNELS_out) {
    let cell = cell_out(to.x, to.y, 4u * column4);
    store(cell.x, cell.y >> 2u, value);
  }
}
