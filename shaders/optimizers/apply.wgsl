// Updates a parameter by a gradient that is kept, times $factor. Needs: finish, buffer given of vec4f, const ROWS_parameter, COUNT (vectors of
// four), RUN (those of an invocation). Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * 64u * RUN + lane;
  for (var i = 0u; i < RUN; i++) {
    let index = first + 64u * i;
    if (index < COUNT) {
      let line = index >> 3u;
      finish(line % ROWS_parameter, (line / ROWS_parameter) * 8u + (index & 7u), given[index] * $factor);
    }
  }
}
