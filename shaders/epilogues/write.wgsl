// The first of several contributions to a gradient. Needs: buffer collected of vec4f, const ROWS_collected. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  collected[at(ROWS_collected, row, column4)] = value;
}
