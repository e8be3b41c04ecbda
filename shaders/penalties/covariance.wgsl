// C - I over the valid rows, C the covariance of the posteriors' means and, where OF_MARGINAL is true, with the mean of their variances on
// its diagonal: the covariance of z. Row-major [K, K], and behind it the mean of the means [K]. One invocation for each element of C.
// Needs: at_scalar, valid_rows, buffers penalized (statistics) and apart of f32, const ROWS_penalized, PENALIZED (K), OF_MARGINAL, ACROSS.
// Gives: main.

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = (group.y * ACROSS + group.x) * 64u + index;
  if (place >= PENALIZED * PENALIZED) {
    return;
  }
  let k = place / PENALIZED;
  let l = place % PENALIZED;
  let count = valid_rows();
  var means = vec2f();
  for (var n = 0u; n < count; n++) {
    means += vec2f(penalized[at_scalar(ROWS_penalized, n, k)], penalized[at_scalar(ROWS_penalized, n, l)]);
  }
  means /= f32(count);
  var sum = 0.0;
  for (var n = 0u; n < count; n++) {
    sum += (penalized[at_scalar(ROWS_penalized, n, k)] - means.x) * (penalized[at_scalar(ROWS_penalized, n, l)] - means.y);
    if (OF_MARGINAL && k == l) {
      sum += exp(clamp(penalized[at_scalar(ROWS_penalized, n, PENALIZED + k)], -30.0, 20.0));
    }
  }
  apart[place] = sum / f32(count) - select(0.0, 1.0, k == l);
  if (k == l) {
    apart[PENALIZED * PENALIZED + k] = means.x;
  }
}
