// Loader: a row for each pixel of image $m in the order of place_of, a column for each channel; zero in the padding.
// Needs: load4_$m, cell_$m, place_of, const ROWS_$m, CHANNELS_$m, IMAGES. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  let place = place_of(row);
  let inside = place.x < IMAGES && 4u * column4 < CHANNELS_$m;
  let cell = cell_$m(place.x, place.y, 4u * column4);
  return select(vec4f(), load4_$m(select(0u, at(ROWS_$m, cell.x, cell.y >> 2u), inside)), inside);
}
