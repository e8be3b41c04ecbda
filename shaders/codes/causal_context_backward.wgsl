// Loader: the gradient of a pixel's channels, summed over the pixels whose neighbour it is.
// Needs: follower_pixel, NO_PIXEL, buffer context of vec4f, const ROWS_context, ROWS_valid, CHANNELS4, NEIGHBOURS, POSITIONS.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var sum = vec4f();
  if (row < ROWS_valid && column4 < CHANNELS4) {
    let pixel = row % POSITIONS;
    for (var number = 0u; number < NEIGHBOURS; number++) {
      let follower = follower_pixel(pixel, number);
      if (follower != NO_PIXEL) {
        sum += context[at(ROWS_context, row - pixel + follower, number * CHANNELS4 + column4)];
      }
    }
  }
  return sum;
}
