// Noise that the caller gives, for tests and for golden values. Needs: load_noise. Gives: noise_at.

fn noise_at(row: u32, column4: u32) -> vec4f {
  return load_noise(row, column4);
}
