// Levels of finite scalar quantization: a number z becomes round(f(z)) over half their number, f(z) = h tanh(z + s) - o. $cases give
// (h, o, s, L) of each of DIMENSIONS columns, which repeat. Needs: const DIMENSIONS. Gives: level_of, squashed, bounded, half_width.

fn level_of(column: u32) -> vec4f {
  switch (column % DIMENSIONS) {
    $cases
  }
}

/// tanh(z + s), of an argument that no adapter's tanh overflows at.
fn squashed(level: vec4f, z: f32) -> f32 {
  return tanh(clamp(z + level.z, -20.0, 20.0));
}

/// f(z)
fn bounded(level: vec4f, z: f32) -> f32 {
  return squashed(level, z) * level.x - level.y;
}

/// ⌊L / 2⌋
fn half_width(level: vec4f) -> f32 {
  return floor(0.5 * level.w);
}
