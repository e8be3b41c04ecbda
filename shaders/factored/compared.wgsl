// x - μ of a feature, and whether it counts. Needs: mean_at, load_data, counts. Gives: apart_at, counts_at.

fn apart_at(row: u32, d: u32) -> f32 {
  return load_data(row, d >> 2u)[d & 3u] - mean_at(row, d);
}

fn counts_at(row: u32, d: u32) -> bool {
  return counts(row, d >> 2u)[d & 3u];
}
