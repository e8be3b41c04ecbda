// The moving averages of a batch normalization: r = (1 - m) r + m s, of the mean, and of the variance without bias.
// Needs: at, buffer norm_running of vec4f, const ROWS_norm_running, ROW_norm_running (of the means), MOMENTUM as f32. Gives: keep_running.

fn keep_running(channel4: u32, mean: vec4f, variance: vec4f, size: f32) {
  let variances = at(ROWS_norm_running, 0u, channel4);
  let means = at(ROWS_norm_running, ROW_norm_running, channel4);
  let exists = columns_below(CHANNELS, channel4);
  let unbiased = variance * (size / max(size - 1.0, 1.0));
  norm_running[variances] = select(vec4f(), mix(norm_running[variances], unbiased, MOMENTUM), exists);
  norm_running[means] = select(vec4f(), mix(norm_running[means], mean, MOMENTUM), exists);
}
