// |vₙ - C| of each datum, v being the sum of its parts, and the sign of v - C, which is its gradient.
// Needs: buffers state, values, difference and sign_of of f32; const ROWS_values, PARTS_values, DATA, SCALAR. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < DATA) {
    var sum = -scalar(SCALAR);
    for (var part = 0u; part < PARTS_values; part++) {
      sum += values[part * ROWS_values + id.x];
    }
    difference[id.x] = abs(sum);
    sign_of[id.x] = sign(sum);
  }
}
