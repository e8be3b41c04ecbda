// A term's values over the rows of the batch in so many partial sums, each in a fixed order: one workgroup alone would add a
// large batch for as long as a matrix product takes. A workgroup adds SPAN of the values, which are [parts][rows].
// Needs: valid_rows, buffers values and sums of f32; const PARTS, ROWS (stored), REPEATS (values for a row of the batch), SPAN (a
// multiple of 256). Gives: main.

var<workgroup> partial_sums: array<f32, 64>;

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
  partial_sums[index] = (four.x + four.z) + (four.y + four.w);
  workgroupBarrier();
  for (var width = 32u; width > 0u; width >>= 1u) {
    if (index < width) {
      partial_sums[index] += partial_sums[index + width];
    }
    workgroupBarrier();
  }
  if (index == 0u) {
    sums[group.x] = partial_sums[0];
  }
}
