// A term's values over the rows of the batch in so many partial sums, each in a fixed order: one workgroup alone would add a
// large batch for as long as a matrix product takes. A workgroup adds SPAN of the values, which are [parts][rows].
// Needs: tree_sum, valid_rows, buffers values and sums of f32; const PARTS, ROWS (stored), REPEATS (values for a row of the batch), SPAN (a
// multiple of 256). Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let valid = valid_rows() * REPEATS;
  // Four sums an invocation, whose loads do not wait for each other.
  var four = vec4f();
  for (var i = group.x * SPAN + index; i < (group.x + 1u) * SPAN; i += 256u) {
    //: repeat c 0..4
    {
      let place = i + 64u * $cu;
      let counts = place < PARTS * ROWS && place % ROWS < valid;
      four[$c] += select(0.0, values[min(place, PARTS * ROWS - 1u)], counts);
    }
    //: end
  }
  let total = tree_sum((four.x + four.z) + (four.y + four.w), index);
  if (index == 0u) {
    sums[group.x] = total;
  }
}
