// A workgroup for each block. Needs: sets.wgsl, in_block, const ALL_BLOCKS, ACROSS. Gives: main.

@compute @workgroup_size($invocations)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let number = group.y * ACROSS + group.x;
  if (number < ALL_BLOCKS) {
    in_block(number, index);
  }
}
