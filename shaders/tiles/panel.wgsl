// Tile for adapters that run on a CPU (Mesa lavapipe): no workgroup memory, no barrier; one workgroup is one subgroup.
//
// A lane owns four columns of the result. A panel of the stationary operand is loaded once into values (`let`, unrolled) and
// stays there for all rows; the other operand is streamed, a lane fetching four values which subgroupBroadcast, with a
// constant lane, then hands to all. It wins there because every load or store is a scalar loop over the lanes, and because an
// accumulator that is carried through a loop costs a blend and a spill, while one local to the loop body stays in registers.
//
// Needs: panel_more for the panels that leave a partial sum (where $more is 1), panel_end for what then remains, const LANES, ROWS, ROWS_PER_GROUP, PANELS_BEFORE, BLOCKS.
// Gives: main, row_sum, SUMMED4.

/// Groups of four columns that row_sum adds.
const SUMMED4 = LANES;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column4 = group.x * LANES + lane;
  let begin = group.y * ROWS_PER_GROUP;
  let end = min(begin + ROWS_PER_GROUP, ROWS);
  //: repeat _ 0..$more
  for (var panel = 0u; panel < PANELS_BEFORE; panel++) {
    panel_more(panel * BLOCKS, column4, lane, begin, end);
  }
  //: end
  panel_end(PANELS_BEFORE * BLOCKS, column4, lane, begin, end);
}

/// Sum over the invocations that hold the same row of the result.
fn row_sum(value: f32) -> f32 {
  return subgroupAdd(value);
}
