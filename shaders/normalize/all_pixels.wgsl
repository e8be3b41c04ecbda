// All pixels of an image count in its statistics. Needs: const COUNT. Gives: live_pixels.

fn live_pixels() -> u32 {
  return COUNT;
}
