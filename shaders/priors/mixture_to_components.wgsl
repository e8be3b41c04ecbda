// Loader: the gradient of L = Σₙ wₙ (log N(zₙ; 0, I) - log p(zₙ)) by a row of components: -Σₙ wₙ rₙ_c (zₙ - μ_c) / σ_c²,
// -½ Σₙ wₙ rₙ_c ((zₙ - μ_c)² / σ_c² - 1), 0 where log σ_c² is clamped, and -Σₙ wₙ (rₙ_c - π_c); zero in the padding.
// Needs: at_scalar, component_mean, component_log_variance, log_weight, log_weights, upstream_ratio, buffers z, responsibilities and
// components of f32; const ROWS, VALID, COMPONENTS, LATENTS, WEIGHTED, ROWS_components. Gives: load_a.

fn part_of(c: u32, column: u32) -> f32 {
  let of_logit = column == 2u * LATENTS;
  let k = column % LATENTS;
  let log_variance = component_log_variance(c, k);
  let inverse = exp(-log_variance);
  let weight = select(0.0, exp(log_weight(c, log_weights())), of_logit);
  var sum = 0.0;
  for (var n = 0u; n < VALID; n++) {
    let responsibility = responsibilities[at_scalar(ROWS, n, c)];
    let apart = z[at_scalar(ROWS, n, k)] - component_mean(c, k);
    let of_variance = 0.5 * responsibility * (apart * apart * inverse - 1.0);
    let of_mean = responsibility * apart * inverse;
    sum -= upstream_ratio(n) * select(select(of_variance, of_mean, column < LATENTS), responsibility - weight, of_logit);
  }
  let clamped = column >= LATENTS && !of_logit &&
    components[at_scalar(ROWS_components, c, LATENTS + k)] != log_variance;
  return select(sum, 0.0, clamped);
}

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  //: repeat c 0..4
  if (row < COMPONENTS && 4u * column4 + $cu < 2u * LATENTS + select(0u, 1u, WEIGHTED)) {
    v[$c] = part_of(row, 4u * column4 + $cu);
  }
  //: end
  return v;
}
