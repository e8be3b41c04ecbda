// Loader: the gradient of an item's channels, summed over the $each items of every pixel whose neighbour it is in, then over the later items
// of its own pixel.
// Needs: follower_pixel, NO_PIXEL, ITEMS, OWN, buffer context of vec4f, const ROWS_context, ROWS_valid, CHANNELS4, NEIGHBOURS, EACH.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var sum = vec4f();
  if (row < ROWS_valid && column4 < CHANNELS4) {
    let item = row % ITEMS;
    for (var number = 0u; number < NEIGHBOURS; number++) {
      let follower = follower_pixel(item / EACH, number);
      if (follower != NO_PIXEL) {
        let first = row - item + follower * EACH;
        //: repeat m 0..$each
        sum += context[at(ROWS_context, first + $mu, number * CHANNELS4 + column4)];
        //: end
      }
    }
    for (var later = 1u; later < EACH - item % EACH; later++) {
      sum += context[at(ROWS_context, row + later, NEIGHBOURS * CHANNELS4 + column4)];
    }
  }
  return sum;
}
