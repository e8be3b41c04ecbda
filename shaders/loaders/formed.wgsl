// Loader: values that are formed as they are loaded, in every workgroup that asks for them, by the same formula of the same numbers.
// The workgroups that keep them store them, for those who read them later.
// Needs: begun, origin_of, formed, keeps (the tile sets it), const COLUMNS4_formed (groups of four columns). Gives: begin_a, load_a.

var<workgroup> origins: array<u32, 32>;

/// Before the first value of 32 rows is loaded: what a row's values have in common is found once.
fn begin_a(row: u32, index: u32) {
  if (keeps) {
    begun(row * 2u + index);
  }
  if (index < 32u) {
    origins[index] = origin_of(row + index);
  }
  workgroupBarrier();
}

fn load_a(row: u32, column4: u32) -> vec4f {
  if (column4 >= COLUMNS4_formed) {
    return vec4f();
  }
  return formed(row, origins[row & 31u], column4, keeps);
}
