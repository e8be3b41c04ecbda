// Sums of the squares of a gradient, padding left out: one workgroup adds those of SPAN vectors of four, in a fixed order.
// Needs: tree_sum, columns_below, buffers gradient of vec4f and squares of f32; const ROWS (stored), INPUTS, BIAS_ROW, COLUMNS, SPAN, FIRST. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let size = ROWS * ((COLUMNS + 31u) / 32u) * 8u;
  var sum = 0.0;
  for (var index = group.x * SPAN + lane; index < min((group.x + 1u) * SPAN, size); index += 64u) {
    let line = index >> 3u;
    let row = line % ROWS;
    if (row < INPUTS || row == BIAS_ROW) {
      let value = select(vec4f(), gradient[index], columns_below(COLUMNS, (line / ROWS) * 8u + (index & 7u)));
      sum += dot(value, value);
    }
  }
  let total = tree_sum(sum, lane);
  if (lane == 0u) {
    squares[FIRST + group.x] = total;
  }
}
