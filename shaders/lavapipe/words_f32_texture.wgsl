// Words of a buffer of floats, read through a texture of four floats a texel. Needs: texture $m. Gives: word4_$m, word_$m.

fn word4_$m(index: u32) -> vec4f {
  return textureLoad($m, vec2u(index & 1023u, index >> 10u));
}

fn word_$m(index: u32, component: u32) -> f32 {
  return word4_$m(index)[component];
}
