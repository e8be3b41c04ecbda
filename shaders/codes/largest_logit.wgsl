// The largest of a row's logits. Needs: at, columns_below, buffer logits of vec4f, const ROWS_logits, CODES. Gives: largest_logit.

fn largest_logit(row: u32) -> f32 {
  var largest = vec4f(-3.0e38);
  for (var column4 = 0u; column4 < (CODES + 3u) / 4u; column4++) {
    let a = logits[at(ROWS_logits, row, column4)];
    largest = max(largest, select(vec4f(-3.0e38), a, columns_below(CODES, column4)));
  }
  return max(max(largest.x, largest.y), max(largest.z, largest.w));
}
