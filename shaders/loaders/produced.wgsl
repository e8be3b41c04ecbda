// Loader: values that are formed as they are loaded, in every workgroup that asks for them, by the same formula of the same numbers.
// The workgroups that keep them store them, for those who read them later. A tile may reach beyond the rows that there are.
// Needs: begun, origin_of, produced, keeps (the tile sets it), const TILE_ROWS (no more than INVOCATIONS), INVOCATIONS, ROWS_produced
// (stored), COLUMNS4_produced (groups of four columns). Gives: begin_a, load_a.

var<workgroup> origins: array<u32, TILE_ROWS>;

/// Before the first value of a tile's rows, from `row` on, is loaded: what a row's values have in common is found once.
fn begin_a(row: u32, index: u32) {
  if (keeps) {
    begun(row / TILE_ROWS * INVOCATIONS + index);
  }
  if (index < TILE_ROWS) {
    origins[index] = origin_of(row + index);
  }
  workgroupBarrier();
}

fn load_a(row: u32, column4: u32) -> vec4f {
  if (row >= ROWS_produced || column4 >= COLUMNS4_produced) {
    return vec4f();
  }
  return produced(row, origins[row % TILE_ROWS], column4, keeps);
}
