// Sums across a workgroup of $invocations invocations, eight side by side to a row. Gives: invocation (the tile sets it), row_sum,
// SUMMED4.

/// Groups of four columns that row_sum adds.
const SUMMED4 = 8u;
var<workgroup> row_parts: array<f32, $invocations>;
var<private> invocation: u32;

/// Sum over the invocations that hold the same row of the result. In uniform control flow only.
fn row_sum(value: f32) -> f32 {
  row_parts[invocation] = value;
  workgroupBarrier();
  let first = invocation & ~7u;
  var sum = 0.0;
  //: repeat i 0..8
  sum += row_parts[first + $iu];
  //: end
  workgroupBarrier();
  return sum;
}
