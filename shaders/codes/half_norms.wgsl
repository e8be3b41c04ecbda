// -½ |e_k|² of the columns of a table [DEPTH, CODES], four at a time; so far below that none is ever chosen in the padding.
// Needs: at, columns_below, buffers table and half_norms of vec4f, const ROWS_table, DEPTH, CODES. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < (CODES + 31u) / 32u * 8u) {
    var sum = vec4f();
    for (var d = 0u; d < DEPTH; d++) {
      let e = table[at(ROWS_table, d, id.x)];
      sum += e * e;
    }
    half_norms[id.x] = select(vec4f(-3.0e38), -0.5 * sum, columns_below(CODES, id.x));
  }
}
