// Words of a buffer of bytes, each standing for byte / 255. Needs: buffer $m of u32. Gives: word4_$m, word_$m.

fn word4_$m(index: u32) -> vec4f {
  return unpack4x8unorm($m[index]);
}

fn word_$m(index: u32, component: u32) -> f32 {
  return f32(($m[index] >> (8u * component)) & 255u) / 255.0;
}
