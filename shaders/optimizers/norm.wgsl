// min(1, MAXIMUM / norm), where the squares of the norm are COUNT partial sums. Source: Pascanu et al., arXiv:1211.5063.
// Needs: buffers squares and factor of f32, const COUNT, MAXIMUM. Gives: main.

var<workgroup> partial_squares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < COUNT; i += 64u) {
    sum += squares[i];
  }
  partial_squares[lane] = sum;
  workgroupBarrier();
  for (var width = 32u; width > 0u; width >>= 1u) {
    if (lane < width) {
      partial_squares[lane] += partial_squares[lane + width];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    factor[0] = min(1.0, MAXIMUM / max(sqrt(partial_squares[0]), 1e-30));
  }
}
