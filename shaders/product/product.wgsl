// The product of two diagonal Gaussians, N(μ̂, σ̂²) that was found in the data and the prior N(m, s²), four latent dimensions at a time:
// by the share w = 1 / (1 + e^-r) of what was found, r = log s² - log σ̂², its mean is m + w δ, δ = μ̂ - m, and its variance (1 - w) s².
// Log-variances are clamped to [-30, 20]. Statistics lie in blocks: BLOCK means, then as many log-variances.
// Needs: at_scalar, buffers found and prior of f32, const ROWS_found, REPEATS_found (draws for a row), ROWS_prior, LATENTS, BLOCK.
// Gives: Product, product_at, deviation_of, statistic.

struct Product {
  prior_mean: vec4f,
  prior_log_variance: vec4f,
  /// δ
  apart: vec4f,
  /// w
  share: vec4f,
  /// log(1 + e^r) = -log(1 - w)
  sharpened: vec4f,
  /// 1 where a log-variance is not clamped, else 0.
  found_within: vec4f,
  prior_within: vec4f,
}

/// Column of the mean of a latent dimension; that of its log-variance is BLOCK further.
fn statistic(latent: u32) -> u32 {
  return (latent / BLOCK) * 2u * BLOCK + latent % BLOCK;
}

fn clamped(v: vec4f) -> vec4f {
  return clamp(v, vec4f(-30.0), vec4f(20.0));
}

fn product_at(row: u32, column4: u32) -> Product {
  var found_mean = vec4f();
  var found_log_variance = vec4f();
  var mean = vec4f();
  var log_variance = vec4f();
  //: repeat c 0..4
  if (4u * column4 + $cu < LATENTS) {
    let first = statistic(4u * column4 + $cu);
    found_mean[$c] = found[at_scalar(ROWS_found, row / REPEATS_found, first)];
    found_log_variance[$c] = found[at_scalar(ROWS_found, row / REPEATS_found, first + BLOCK)];
    mean[$c] = prior[at_scalar(ROWS_prior, row, first)];
    log_variance[$c] = prior[at_scalar(ROWS_prior, row, first + BLOCK)];
  }
  //: end
  let r = clamped(log_variance) - clamped(found_log_variance);
  return Product(
    mean,
    clamped(log_variance),
    found_mean - mean,
    1.0 / (1.0 + exp(-r)),
    max(r, vec4f()) + log(1.0 + exp(-abs(r))),
    select(vec4f(), vec4f(1.0), found_log_variance == clamped(found_log_variance)),
    select(vec4f(), vec4f(1.0), log_variance == clamped(log_variance)),
  );
}

/// σ of the product.
fn deviation_of(p: Product) -> vec4f {
  return exp(0.5 * (p.prior_log_variance - p.sharpened));
}
