// The only contribution to a gradient. Needs: finish. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  finish(row, column4, value);
}
