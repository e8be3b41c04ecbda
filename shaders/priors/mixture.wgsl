// A mixture of diagonal Gaussians: a row of `components` is μ_c, then log σ_c², K columns each, and where WEIGHTED is true a last column of
// logits; else every component weighs the same. log σ² is clamped to [-30, 20].
// Needs: at_scalar, buffer components of f32, const ROWS_components, COMPONENTS, LATENTS, WEIGHTED.
// Gives: component_mean, component_log_variance, log_weight, log_weights.

fn component_mean(c: u32, k: u32) -> f32 {
  return components[at_scalar(ROWS_components, c, k)];
}

fn component_log_variance(c: u32, k: u32) -> f32 {
  return clamp(components[at_scalar(ROWS_components, c, LATENTS + k)], -30.0, 20.0);
}

fn logit(c: u32) -> f32 {
  return components[at_scalar(ROWS_components, c, 2u * LATENTS)];
}

/// What every logit is above the logarithm of its weight.
fn log_weights() -> f32 {
  if (!WEIGHTED) {
    return log(f32(COMPONENTS));
  }
  var largest = logit(0u);
  for (var c = 1u; c < COMPONENTS; c++) {
    largest = max(largest, logit(c));
  }
  var sum = 0.0;
  for (var c = 0u; c < COMPONENTS; c++) {
    sum += exp(logit(c) - largest);
  }
  return largest + log(sum);
}

/// log π_c
fn log_weight(c: u32, log_weights: f32) -> f32 {
  if (WEIGHTED) {
    return logit(c) - log_weights;
  }
  return -log_weights;
}
