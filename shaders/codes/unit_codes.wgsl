// The columns of a table [DEPTH, CODES] over their lengths, four at a time, and one over the lengths; zero in the padding.
// Needs: at, columns_below, buffers table, unit_codes, inverse_lengths of vec4f, const ROWS_table, ROWS_unit, DEPTH, CODES. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < (CODES + 31u) / 32u * 8u) {
    var sum = vec4f();
    for (var d = 0u; d < DEPTH; d++) {
      let e = table[at(ROWS_table, d, id.x)];
      sum += e * e;
    }
    let inverse = select(vec4f(), inverseSqrt(max(sum, vec4f(1.0e-24))), columns_below(CODES, id.x));
    inverse_lengths[id.x] = inverse;
    for (var d = 0u; d < DEPTH; d++) {
      unit_codes[at(ROWS_unit, d, id.x)] = inverse * table[at(ROWS_table, d, id.x)];
    }
  }
}
