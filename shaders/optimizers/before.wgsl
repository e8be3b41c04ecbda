// The parameter before the step, where it lies. Needs: buffer parameter of vec4f. Gives: word4_before.

fn word4_before(index: u32) -> vec4f {
  return parameter[index];
}
