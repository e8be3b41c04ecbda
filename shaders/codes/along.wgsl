// How far the sums Σ (z - e_k) of the rows that each code has lie along the code, four codes at a time.
// Needs: at, buffers left, unit_codes, along of vec4f, const ROWS_left, ROWS_unit, DEPTH, COLUMNS4. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COLUMNS4) {
    var sum = vec4f();
    for (var d = 0u; d < DEPTH; d++) {
      sum += left[at(ROWS_left, d, id.x)] * unit_codes[at(ROWS_unit, d, id.x)];
    }
    along[id.x] = sum;
  }
}
