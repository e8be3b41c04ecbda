// Words of a buffer of bytes, each standing for byte / 255, read through a texture of four bytes a texel. Needs: texture $m.
// Gives: load4_$m, load1_$m.

fn load4_$m(index: u32) -> vec4f {
  return unpack4x8unorm(textureLoad($m, vec2u(index & 1023u, index >> 10u)).x);
}

fn load1_$m(index: u32, component: u32) -> f32 {
  return load4_$m(index)[component];
}
