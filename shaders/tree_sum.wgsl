// A sum over a workgroup of $invocations invocations, in a fixed order. Gives: tree_sum.

var<workgroup> tree_parts: array<$type, $invocations>;

/// Σ of the values of all invocations, which all of them are given; in uniform control flow only.
fn tree_sum(value: $type, index: u32) -> $type {
  tree_parts[index] = value;
  workgroupBarrier();
  for (var width = $invocationsu / 2u; width > 0u; width >>= 1u) {
    if (index < width) {
      tree_parts[index] += tree_parts[index + width];
    }
    workgroupBarrier();
  }
  let sum = tree_parts[0];
  workgroupBarrier();
  return sum;
}
