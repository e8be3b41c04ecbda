// The gradients of -log p(x), a feature of a row an invocation. With α = Σ⁻¹ (x - μ) = S⁻¹ (x - μ - W v), v = M⁻¹ u, and a = w M⁻¹ of the
// feature's row w of W: -α by its mean, ½ (1 - a wᵀ / σ² - α² σ²) by its log σ², and a / σ² - α v by w; 0 where it does not count.
// With $own it gives those of the mean and of log σ², with $shared that of the factors: a kernel binds no more buffers than any device has.
// Needs: factor_at, log_variance_at, apart_at, counts_at, upstream_nll, buffers moments, to_location, to_scale and to_factors of f32, const
// STORED, VALID, FEATURES, RANK, FACTOR. Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * 64u + id.x;
  let row = index % STORED;
  let d = index / STORED;
  if (d < FEATURES && row < VALID) {
    let weight = select(0.0, upstream_nll(row), counts_at(row, d));
    let variance = log_variance_at(row, d);
    let inverse = exp(-variance.value.x);
    var alpha = apart_at(row, d);
    for (var r = 0u; r < RANK; r++) {
      alpha -= factor_at(row, d, r) * moments[(RANK * RANK + r) * STORED + row];
    }
    alpha *= inverse;
    var explained = 0.0;
    for (var j = 0u; j < RANK; j++) {
      var a = 0.0;
      for (var i = 0u; i < RANK; i++) {
        a += factor_at(row, d, i) * moments[(i * RANK + j) * STORED + row];
      }
      explained += a * factor_at(row, d, j);
      //: repeat _ 0..$shared
      let to_factor = a * inverse - alpha * moments[(RANK * RANK + j) * STORED + row];
      to_factors[at_scalar(STORED, row, d * RANK + j)] = weight * FACTOR * to_factor;
      //: end
    }
    //: repeat _ 0..$own
    to_location[at_scalar(STORED, row, d)] = -weight * alpha;
    let to_log_variance = 0.5 * (1.0 - explained * inverse - alpha * alpha / inverse);
    to_scale[at_scalar(STORED, row, d)] = weight * variance.slope.x * to_log_variance;
    //: end
  }
}
