// Loader: each column of a matrix of floats in a random order of its own, of the rows that are data.
// Needs: at_scalar, permuted, random_bits, valid_rows, buffers state and source of f32; const ROWS_source, COLUMNS_source, DRAWS (rows for
// each of the batch), STREAM. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  let count = valid_rows() * DRAWS;
  if (row >= count) {
    return v;
  }
  //: repeat c 0..4
  if (4u * column4 + $cu < COLUMNS_source) {
    let column = 4u * column4 + $cu;
    let key = random_bits(state.seed, state.step, STREAM, column);
    v[$c] = source[at_scalar(ROWS_source, permuted(row, count, key.x, key.y), column)];
  }
  //: end
  return v;
}
