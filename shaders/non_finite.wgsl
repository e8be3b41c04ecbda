// Marks what holds a number that is not finite: one whose exponent has all bits set. It is read as integers, since compilers may take
// every float to be finite. Needs: buffers values of vec4u, found of one atomic. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  var bad = vec4<bool>();
  for (var i = id.x; i < arrayLength(&values); i += 64u * groups.x) {
    bad |= (values[i] & vec4u(0x7f800000u)) == vec4u(0x7f800000u);
  }
  if (any(bad)) {
    atomicStore(&found[0], 1u);
  }
}
