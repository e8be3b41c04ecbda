// Words of a buffer of floats. Needs: buffer $m of vec4f. Gives: word4_$m, word_$m.

fn word4_$m(index: u32) -> vec4f {
  return $m[index];
}

fn word_$m(index: u32, component: u32) -> f32 {
  return $m[index][component];
}
