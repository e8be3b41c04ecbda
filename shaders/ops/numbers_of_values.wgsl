// One number for each row, the sum of its parts. Needs: buffer numbers of f32, const PARTS_numbers, STORED_numbers (rows). Gives: number_of.

fn number_of(row: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < PARTS_numbers; part++) {
    sum += numbers[part * STORED_numbers + row];
  }
  return sum;
}
