// Stores the number of each row; zero in the padding. Needs: number_of, buffer stored_numbers of f32, const ROWS_column, STORED. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < STORED) {
    if (id.x < ROWS_column) {
      stored_numbers[id.x] = number_of(id.x);
    } else {
      stored_numbers[id.x] = 0.0;
    }
  }
}
