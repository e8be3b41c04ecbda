// Loader: weights [K K C, N] as the second operand of a product whose sum runs over the weights of a residue, and in each over
// the C channels padded to groups of four.
// Needs: tap_of, load4_b, const ROWS_b, CHANNELS_b (C), GROUPS4_b, KERNEL. Gives: load_b.

fn load_b(row: u32, column4: u32) -> vec4f {
  let tap = tap_of((row >> 2u) / GROUPS4_b);
  let channel = row % (4u * GROUPS4_b);
  let inside = tap.x < KERNEL && tap.y < KERNEL && channel < CHANNELS_b;
  let index = at(ROWS_b, (tap.x * KERNEL + tap.y) * CHANNELS_b + channel, column4);
  return select(vec4f(), load4_b(select(0u, index, inside)), inside);
}
