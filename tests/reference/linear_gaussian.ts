/**
 * The density of a linear Gaussian model as plain float64 loops: from C = W Wᵀ + σ² I itself, not by the identities of the fast one.
 *
 * @module
 */

/** Cholesky's factor L of A [n, n]: A = L Lᵀ. */
export function cholesky(a: ArrayLike<number>, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j];
    }
  }
  return l;
}

/** log N(x; μ, C) of one row. */
export function logNormal(x: ArrayLike<number>, mean: ArrayLike<number>, covariance: ArrayLike<number>): number {
  const n = mean.length;
  const l = cholesky(covariance, n);
  const u = new Float64Array(n);
  let sum = n * Math.log(2 * Math.PI);
  for (let i = 0; i < n; i++) {
    u[i] = x[i] - mean[i];
    for (let k = 0; k < i; k++) u[i] -= l[i * n + k] * u[k];
    u[i] /= l[i * n + i];
    sum += u[i] ** 2 + 2 * Math.log(l[i * n + i]);
  }
  return -0.5 * sum;
}

/** W Wᵀ + σ² I, from Wᵀ [K, D]. */
export function covarianceOf(weight: ArrayLike<number>, width: number, noise: number): Float64Array {
  const c = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    c[i * width + i] = noise;
    for (let j = 0; j < width; j++) {
      for (let k = 0; k < weight.length / width; k++) c[i * width + j] += weight[k * width + i] * weight[k * width + j];
    }
  }
  return c;
}
