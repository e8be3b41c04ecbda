// One more contribution, added where the others were collected. Needs: buffer collected of vec4f, const ROWS_collected. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  let index = at(ROWS_collected, row, column4);
  collected[index] += value;
}
