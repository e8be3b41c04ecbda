// Words of a buffer of floats. Needs: buffer $m of vec4f. Gives: load4_$m, load1_$m.

fn load4_$m(index: u32) -> vec4f {
  return $m[index];
}

fn load1_$m(index: u32, component: u32) -> f32 {
  return $m[index][component];
}
