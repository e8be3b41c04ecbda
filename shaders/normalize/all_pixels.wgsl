// All pixels of an image count in its statistics. Needs: const COUNT. Gives: valid_pixels.

fn valid_pixels() -> u32 {
  return COUNT;
}
