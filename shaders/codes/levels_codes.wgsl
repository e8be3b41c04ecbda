// The codes of levels: those of a group of DIMENSIONS columns as the digits of one number, the first column's the lowest. One invocation for
// each group of a row. Needs: level_of, bounded, half_width, at_scalar, buffers z and codes of f32; const ROWS_z, ROWS_codes, POSITIONS,
// GROUPS, DIMENSIONS, ROWS_valid. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / GROUPS;
  let group = id.x % GROUPS;
  if (row >= ROWS_valid) {
    return;
  }
  var code = 0.0;
  var place = 1.0;
  for (var d = 0u; d < DIMENSIONS; d++) {
    let level = level_of(d);
    let z_d = z[at_scalar(ROWS_z, row, group * DIMENSIONS + d)];
    code += place * (round(bounded(level, z_d)) + half_width(level));
    place *= level.w;
  }
  codes[at_scalar(ROWS_codes, row / POSITIONS, row % POSITIONS * GROUPS + group)] = code;
}
