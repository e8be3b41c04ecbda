// The gradient of the weights that there are; of the others it is 0. Needs: store_all, connected. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  store_all(row, column4, connected(row, column4) * value);
}
