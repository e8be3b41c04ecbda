// Words of a buffer of bytes, each standing for byte / 255. Needs: buffer $m of u32. Gives: load4_$m, load1_$m.

fn load4_$m(index: u32) -> vec4f {
  return unpack4x8unorm($m[index]);
}

fn load1_$m(index: u32, component: u32) -> f32 {
  return f32(($m[index] >> (8u * component)) & 255u) / 255.0;
}
