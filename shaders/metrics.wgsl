// The last dispatch of a step: sums terms over the rows of the batch, in a fixed order, into this step's slot of a ring, and where $ends is
// 1 moves on to the next step. Where a kernel cannot bind all terms there are several: this one has $terms of $all, from $first on. One
// workgroup; a term's parts are [parts][rows].
// Needs: tree_sum, valid_rows, buffers state, ring, and parts_0 ... of f32; const BATCH, SLOTS, INVOCATIONS, BLOCK (values that one sum
// takes in before it is added to the others), and for each term PARTS_0, ROWS_0 (stored), ALL_0 (whether all of them are data) and REPEATS_0 (values for a row of the batch, which count as their mean) .... Gives: main.

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) index: u32) {
  let step = state.step;
  let valid = valid_rows();
  //: repeat term 0..$terms
  {
    // Four sums an invocation, whose loads do not wait for each other; in blocks, since a float32 that has grown large loses what is
    // added to it.
    var sums = vec4f();
    for (var begin = index; begin < PARTS_$term * ROWS_$term; begin += BLOCK * 4u * INVOCATIONS) {
      var block = vec4f();
      let end = min(begin + BLOCK * 4u * INVOCATIONS, PARTS_$term * ROWS_$term);
      for (var i = begin; i < end; i += 4u * INVOCATIONS) {
        //: repeat c 0..4
        {
          let place = i + INVOCATIONS * $cu;
          let counts = place < PARTS_$term * ROWS_$term && (ALL_$term || place % ROWS_$term < valid * REPEATS_$term);
          block[$c] += select(0.0, parts_$term[min(place, PARTS_$term * ROWS_$term - 1u)], counts);
        }
        //: end
      }
      sums += block;
    }
    let total = tree_sum((sums.x + sums.z) + (sums.y + sums.w), index);
    if (index == 0u) {
      ring[(step % SLOTS) * $allu + $firstu + $termu] = total / f32(REPEATS_$term);
    }
  }
  //: end
  //: repeat _ 0..$ends
  if (index == 0u) {
    state.step = step + 1u;
  }
  //: end
}
