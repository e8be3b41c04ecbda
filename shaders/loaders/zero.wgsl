// Loader: zeros, for a gradient that nothing contributed to. Gives: load_$m.

fn load_$m(row: u32, column4: u32) -> vec4f {
  return vec4f();
}
