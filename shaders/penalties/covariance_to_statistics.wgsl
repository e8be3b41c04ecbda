// Loader: the gradient of u Σ_{k ≠ l} (C - I)²_kl + v Σ_k (C - I)²_kk by a row of statistics, u and v the sums of the rows' upstreams:
// 4 / N Σ_l w_kl (C - I)_kl (μ_l - mean_l), and where OF_MARGINAL is true 2 / N v (C - I)_kk σ_k², 0 where log σ_k² is clamped.
// Needs: at_scalar, valid_rows, upstream_off_diagonal, upstream_diagonal, buffers penalized and apart of f32, const ROWS_penalized,
// PENALIZED (K), OF_MARGINAL. Gives: load_a.

fn penalty_part(row: u32, column: u32, u: f32, v: f32) -> f32 {
  if (column < PENALIZED) {
    var sum = 0.0;
    for (var l = 0u; l < PENALIZED; l++) {
      let deviation = penalized[at_scalar(ROWS_penalized, row, l)] - apart[PENALIZED * PENALIZED + l];
      sum += select(u, v, l == column) * apart[column * PENALIZED + l] * deviation;
    }
    return 4.0 * sum;
  }
  let k = column - PENALIZED;
  if (!OF_MARGINAL || k >= PENALIZED) {
    return 0.0;
  }
  let log_variance = penalized[at_scalar(ROWS_penalized, row, column)];
  let variance = select(0.0, exp(log_variance), log_variance == clamp(log_variance, -30.0, 20.0));
  return 2.0 * v * apart[k * (PENALIZED + 1u)] * variance;
}

fn load_a(row: u32, column4: u32) -> vec4f {
  var v = vec4f();
  let count = valid_rows();
  if (row >= count) {
    return v;
  }
  var sums = vec2f();
  for (var n = 0u; n < count; n++) {
    sums += vec2f(upstream_off_diagonal(n), upstream_diagonal(n));
  }
  //: repeat c 0..4
  v[$c] = penalty_part(row, 4u * column4 + $cu, sums.x, sums.y);
  //: end
  return v / f32(count);
}
