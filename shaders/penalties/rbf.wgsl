// exp(-‖a - b‖² / C) of a squared distance, and its derivative by that. Needs: float BANDWIDTH (C). Gives: similarity, similarity_slope.

fn similarity(squared: f32) -> f32 {
  return exp(-squared / BANDWIDTH);
}

fn similarity_slope(squared: f32) -> f32 {
  return -similarity(squared) / BANDWIDTH;
}
