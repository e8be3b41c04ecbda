// x ~ Bernoulli(byte / 255), drawn anew at every step. Needs: random_uniform, buffer state, const BATCH, STREAM_binarize.
// Gives: batch_value.

fn batch_value(row: u32, column4: u32, word: u32) -> u32 {
  let u = random_uniform(state.seed, state.step, STREAM_binarize, column4 * BATCH + row);
  return pack4x8unorm(select(vec4f(), vec4f(1.0), u < unpack4x8unorm(word)));
}
