// A schedule's value at this step. Needs: buffer state. Gives: scalar.

fn scalar(index: u32) -> f32 {
  return state.scalars[index >> 2u][index & 3u];
}
