// x ~ Bernoulli(value), drawn anew at every step. Needs: random_uniform, buffer state, const VALID_binarize, FIRST_binarize, STREAM_binarize. Gives: batch_value.

fn batch_value(row: u32, column4: u32, word: $type) -> $type {
  let u = random_uniform(state.seed, state.step, STREAM_binarize, column4 * VALID_binarize + FIRST_binarize + row);
  return $pack(select(vec4f(), vec4f(1.0), u < $values(word)));
}
