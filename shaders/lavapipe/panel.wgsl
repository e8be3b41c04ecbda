// Tile for adapters that run on a CPU (Mesa lavapipe): no workgroup memory, no barrier; one workgroup is one subgroup.
//
// A lane owns four columns of the result. A panel of the stationary operand is loaded once into values (`let`, unrolled) and
// stays there for all rows; the other operand is streamed, a lane fetching four values which subgroupBroadcast, with a
// constant lane, then hands to all. It wins there because every load or store of storage is a loop over the lanes, so that few
// of them must serve many multiply-adds (and operands are read through textures), and because an accumulator that is carried
// through a loop costs a blend and a spill, while one local to the loop body stays in registers.
//
// A dispatch may hold several products of one shape: residues, which differ in what the loaders read, and chunks of the summed
// index, which leave partial sums. A slice is one chunk of one residue.
//
// Needs: panel_more for the panels that leave a partial sum (where $more is 1), panel_end for what then remains (where $ends
// is 1), const LANES, ROWS (of a residue), ROWS_PER_GROUP, GROUPS (in a slice), CHUNKS (in a residue), PANELS_BEFORE (in a
// chunk), PANELS (that leave a partial sum, in a residue), LENGTH (of one, as the product counts it).
// Gives: main, row_sum, SUMMED4, residue, slice.

/// Groups of four columns that row_sum adds.
const SUMMED4 = LANES;
var<private> residue: u32;
var<private> slice: u32;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column4 = group.x * LANES + lane;
  // A value beside the variable: a browser's compiler must see that it is the same in all invocations.
  let own_slice = group.y / GROUPS;
  slice = own_slice;
  residue = own_slice / CHUNKS;
  let begin = (group.y % GROUPS) * ROWS_PER_GROUP;
  let end = min(begin + ROWS_PER_GROUP, ROWS);
  //: repeat _ 0..$more
  let first = (own_slice % CHUNKS) * PANELS_BEFORE;
  for (var panel = first; panel < min(first + PANELS_BEFORE, PANELS); panel++) {
    panel_more(panel * LENGTH, panel > first, column4, lane, begin, end);
  }
  //: end
  //: repeat _ 0..$ends
  panel_end(PANELS_BEFORE * LENGTH, true, column4, lane, begin, end);
  //: end
}

/// Sum over the invocations that hold the same row of the result.
fn row_sum(value: f32) -> f32 {
  return subgroupAdd(value);
}
