// A product without bias. Gives: bias_of.

fn bias_of(column4: u32) -> vec4f {
  return vec4f();
}
