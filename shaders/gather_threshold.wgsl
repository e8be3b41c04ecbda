// x = 1 where value >= 1/2, else 0. Gives: batch_value.

fn batch_value(row: u32, column4: u32, word: $type) -> $type {
  return $pack(select(vec4f(), vec4f(1.0), $values(word) >= vec4f(0.5)));
}
