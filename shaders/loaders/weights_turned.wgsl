// Loader: weights [K K C, N] as the operand that an input gradient turns: a row for each of the C channels, a column for each
// weight of a residue and each of the N outputs, outputs padded to groups of four.
// Needs: tap_of, load4_b, const ROWS_b, CHANNELS_b (C), GROUPS4_b (of outputs), KERNEL. Gives: load_b.

fn load_b(row: u32, column4: u32) -> vec4f {
  let tap = tap_of(column4 / GROUPS4_b);
  let inside = tap.x < KERNEL && tap.y < KERNEL && row < CHANNELS_b;
  let index = at(ROWS_b, (tap.x * KERNEL + tap.y) * CHANNELS_b + row, column4 % GROUPS4_b);
  return select(vec4f(), load4_b(select(0u, index, inside)), inside);
}
