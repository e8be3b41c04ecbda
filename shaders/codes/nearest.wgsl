// The nearest code of each row, by its scores z e_k - ½ |e_k|²: ½ |z|² less half the squared distance, so that the largest is the
// nearest; the first of equal ones. And the squared distance itself, by subtraction. One invocation a row; distances are
// [POSITIONS][ROWS_distances], one for each datum.
// Needs: at, at_scalar, buffers scores of vec4f, and z, table, codes, distances of f32; const ROWS_z, ROWS_table, ROWS_codes,
// ROWS_distances, DEPTH, CODES, POSITIONS, CODED. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= CODED) {
    return;
  }
  var largest = vec4f(-3.0e38);
  var groups = vec4u();
  for (var column4 = 0u; column4 < (CODES + 3u) / 4u; column4++) {
    let score = scores[at(ROWS_z, row, column4)];
    groups = select(groups, vec4u(column4), score > largest);
    largest = max(largest, score);
  }
  // Of the best of each of four columns: the largest, and of equal ones the first.
  var best = 4u * groups.x;
  var most = largest.x;
  //: repeat c 1..4
  {
    let code = 4u * groups[$c] + $cu;
    if (largest[$c] > most || (largest[$c] == most && code < best)) {
      best = code;
      most = largest[$c];
    }
  }
  //: end
  var sum = 0.0;
  for (var d = 0u; d < DEPTH; d++) {
    let left = z[at_scalar(ROWS_z, row, d)] - table[at_scalar(ROWS_table, d, best)];
    sum += left * left;
  }
  codes[at_scalar(ROWS_codes, row / POSITIONS, row % POSITIONS)] = f32(best);
  distances[row % POSITIONS * ROWS_distances + row / POSITIONS] = sum;
}
