// The value of a schedule at this step, as the beginning of the step has set it. Needs: buffer scalars, an array of vec4f: vectors, as a
// uniform buffer wants them. Gives: scalar.

fn scalar(index: u32) -> f32 {
  return scalars[index >> 2u][index & 3u];
}
