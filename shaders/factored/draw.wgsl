// μ + σ ε + W η, ε and η standard normal, η one for all features of a row. Needs: mean_at, log_variance_at, factor_at, random_normal, buffer
// state, const VALID, RANK, STREAM_own, STREAM_shared. Gives: value_of.

fn value_of(row: u32, d: u32) -> f32 {
  let own = random_normal(state.seed, state.step, STREAM_own, (d >> 2u) * VALID + row)[d & 3u];
  var value = mean_at(row, d) + exp(0.5 * log_variance_at(row, d).value.x) * own;
  for (var r = 0u; r < RANK; r++) {
    value += factor_at(row, d, r) * random_normal(state.seed, state.step, STREAM_shared, (r >> 2u) * VALID + row)[r & 3u];
  }
  return value;
}
