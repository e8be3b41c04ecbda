// One number for each row: FACTOR_numbers times the sum of the row of a matrix. Needs: load_numbers, const WIDTH_numbers (its columns),
// FACTOR_numbers. Gives: number_of.

fn number_of(row: u32) -> f32 {
  var sum = vec4f();
  for (var i = 0u; 4u * i < WIDTH_numbers; i++) {
    sum += select(vec4f(), load_numbers(row, i), columns_below(WIDTH_numbers, i));
  }
  return FACTOR_numbers * dot(sum, vec4f(1.0));
}
