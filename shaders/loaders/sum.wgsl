// Loader: the sum of REPEATS_a rows in turn of a matrix of floats. Needs: buffer a of vec4f, const ROWS_a, REPEATS_a.
// Gives: load_a.

fn load_a(row: u32, column4: u32) -> vec4f {
  var sum = vec4f();
  for (var i = 0u; i < REPEATS_a; i++) {
    let repeated = row * REPEATS_a + i;
    if (repeated < ROWS_a) {
      sum += a[at(ROWS_a, repeated, column4)];
    }
  }
  return sum;
}
