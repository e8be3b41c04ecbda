// min(1, MAXIMUM / norm), where the squares of the norm are COUNT partial sums. Source: Pascanu et al., arXiv:1211.5063.
// Needs: tree_sum, buffers squares and factor of f32, const COUNT, MAXIMUM. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < COUNT; i += 64u) {
    sum += squares[i];
  }
  let total = tree_sum(sum, lane);
  if (lane == 0u) {
    factor[0] = min(1.0, MAXIMUM / max(sqrt(total), 1e-30));
  }
}
