// What a change of log q(z_nk | x_m) changes in the loss, u_n, v_n and w_n being the upstreams of draw n's three parts:
// (v - u) r_nm + (w - v) s_nmk, and u where z_n was drawn for x_m; r and s are what x_m has of q(z_n) and of q(z_nk).
// Needs: at_scalar, density.wgsl, upstream_mutual_information, upstream_total_correlation, upstream_marginal_kl, buffers joint and marginals
// of f32, const ROWS_joint, ROWS_marginals, DRAWS. Gives: slope.

fn slope(n: u32, m: u32, k: u32) -> f32 {
  let u = upstream_mutual_information(n);
  let v = upstream_total_correlation(n);
  let w = upstream_marginal_kl(n);
  let of_joint = joint[at_scalar(ROWS_joint, n, m)];
  let of_marginal = exp(log_weight(n, m) + log_density(n, m, k) - marginals[at_scalar(ROWS_marginals, n, k)]);
  return (v - u) * of_joint + (w - v) * of_marginal + select(0.0, u, n / DRAWS == m);
}
