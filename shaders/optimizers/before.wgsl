// The parameter before the step, where it lies. Needs: buffer parameter of vec4f. Gives: load4_before.

fn load4_before(index: u32) -> vec4f {
  return parameter[index];
}
