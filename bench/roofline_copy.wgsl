// A copy of memory, four floats an invocation. Needs: buffers source and target_buffer of vec4f. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  target_buffer[index] = source[index];
}
