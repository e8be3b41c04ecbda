// x = 1 where byte / 255 >= 1/2, else 0. Gives: batch_value.

fn batch_value(row: u32, column4: u32, word: u32) -> u32 {
  return ((word >> 7u) & 0x01010101u) * 255u;
}
