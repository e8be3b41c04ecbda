// Loader: the channels of each item's neighbours side by side, summed over the $each items of a neighbour, zero outside of the image; where a
// pixel has several items, the sum of those before this one in its own pixel; then an indicator of the item's place.
// Needs: neighbour_pixel, NO_PIXEL, ITEMS, OWN, item_of, channels, const ROWS_valid, CHANNELS4, NEIGHBOURS, EACH. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  if (row >= ROWS_valid) {
    return vec4f();
  }
  let item = item_of(row);
  if (column4 >= (NEIGHBOURS + OWN) * CHANNELS4) {
    let items = 4u * (column4 - (NEIGHBOURS + OWN) * CHANNELS4) + vec4u(0u, 1u, 2u, 3u);
    return select(vec4f(), vec4f(1.0), items == vec4u(item));
  }
  let number = column4 / CHANNELS4;
  let own = number == NEIGHBOURS;
  let source = select(neighbour_pixel(item / EACH, number), item / EACH, own);
  let seen = select(select(EACH, item % EACH, own), 0u, source == NO_PIXEL);
  var sum = vec4f();
  //: repeat m 0..$each
  sum += select(vec4f(), channels(row, select(0u, source * EACH + $mu, $mu < seen), column4 % CHANNELS4), $mu < seen);
  //: end
  return sum;
}
