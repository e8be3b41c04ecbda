// A scale that is no variable. Needs: const SCALE. Gives: Scale, scale_at.

struct Scale {
  value: vec4f,
  slope: vec4f,
}

fn scale_at(row: u32, column4: u32) -> Scale {
  return Scale(vec4f(SCALE), vec4f());
}
