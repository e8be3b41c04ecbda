// Tile that forms the values of a variable and stores them, in a dispatch of their own.
// Needs: begun, origin_of, formed; const ROWS_formed (stored), COLUMNS4_formed (groups of four columns). Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  begun(index);
  let row = index % ROWS_formed;
  let column4 = index / ROWS_formed;
  if (column4 < COLUMNS4_formed) {
    formed(row, origin_of(row), column4, true);
  }
}
