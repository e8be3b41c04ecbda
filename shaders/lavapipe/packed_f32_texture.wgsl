// Words of a buffer of floats, read through a texture of four floats a texel. Needs: texture $m. Gives: load4_$m, load1_$m.

fn load4_$m(index: u32) -> vec4f {
  return textureLoad($m, vec2u(index & 1023u, index >> 10u));
}

fn load1_$m(index: u32, component: u32) -> f32 {
  return load4_$m(index)[component];
}
