// A value of the distribution, a feature of a row an invocation. Needs: value_of, buffer y of f32, const STORED, VALID, FEATURES. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let row = index % STORED;
  let d = index / STORED;
  if (d < FEATURES && row < VALID) {
    y[at_scalar(STORED, row, d)] = value_of(row, d);
  }
}
