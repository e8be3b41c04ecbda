// C / (C + ‖a - b‖²) of a squared distance, and its derivative by that. Needs: float BANDWIDTH (C). Gives: similarity, similarity_slope.

fn similarity(squared: f32) -> f32 {
  return BANDWIDTH / (BANDWIDTH + squared);
}

fn similarity_slope(squared: f32) -> f32 {
  return -BANDWIDTH / ((BANDWIDTH + squared) * (BANDWIDTH + squared));
}
