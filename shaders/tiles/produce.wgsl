// Tile that forms the values of a variable and stores them, in a dispatch of their own. An invocation takes up to RUN groups of
// columns of a row, so that what they have in common is found once.
// Needs: begun, origin_of, produced; const ROWS_produced (stored), COLUMNS4_produced (groups of four columns), RUN. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  begun(index);
  let row = index % ROWS_produced;
  let first = index / ROWS_produced * RUN;
  let origin = origin_of(row);
  for (var column4 = first; column4 < min(first + RUN, COLUMNS4_produced); column4++) {
    produced(row, origin, column4, true);
  }
}
