// Σ (C - I)² off the diagonal of C and on it, for each valid row; 0 for the others. One workgroup.
// Needs: tree_sum, valid_rows, buffers apart, off_diagonal and diagonal of f32, const PENALIZED (K), ROWS. Gives: main.

@compute @workgroup_size($invocations)
fn main(@builtin(local_invocation_index) index: u32) {
  var sums = vec4f();
  for (var place = index; place < PENALIZED * PENALIZED; place += $invocationsu) {
    let square = apart[place] * apart[place];
    sums += select(vec4f(square, 0.0, 0.0, 0.0), vec4f(0.0, square, 0.0, 0.0), place % (PENALIZED + 1u) == 0u);
  }
  let total = tree_sum(sums, index);
  let count = valid_rows();
  for (var row = index; row < ROWS; row += $invocationsu) {
    off_diagonal[row] = select(0.0, total.x, row < count);
    diagonal[row] = select(0.0, total.y, row < count);
  }
}
