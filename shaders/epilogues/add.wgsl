// y = a + b, with b as it is formed; zero in the padding. Needs: load_addend (a), buffer y of vec4f, const ROWS_y. Gives: store.

fn store(row: u32, column4: u32, value: vec4f) {
  y[at(ROWS_y, row, column4)] = value + load_addend(row, column4);
}
