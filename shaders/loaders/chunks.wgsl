// Loader: a product of which each chunk of the summed index left a partial sum: those in their order, and the bias.
// Needs: bias_of, buffer partial of vec4f, const CHUNKS, ROWS_partial, ROWS_slice. Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var sum = bias_of(column4);
  for (var i = 0u; i < CHUNKS; i++) {
    sum += partial[at(ROWS_partial, i * ROWS_slice + row, column4)];
  }
  return sum;
}
