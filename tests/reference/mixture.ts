/**
 * A mixture of Gaussians as plain float64 loops: density, and one iteration of EM.
 *
 * @module
 */

import { logNormal } from "./linear_gaussian.ts";

/** K components: shares [K], means [K][D], covariances [K][D D]. */
export interface ReferenceMixture {
  readonly shares: readonly number[];
  readonly means: readonly ArrayLike<number>[];
  readonly covariances: readonly ArrayLike<number>[];
}

/** log π_k + log N(x; μ_k, Σ_k) of every component. */
export function logDensities(x: ArrayLike<number>, { shares, means, covariances }: ReferenceMixture): number[] {
  return shares.map((share, k) => Math.log(share) + logNormal(x, means[k], covariances[k]));
}

/** log Σ exp */
export function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

/** Mean of log p(x) over rows [N, D]. */
export function meanLogDensity(rows: ArrayLike<number>, mixture: ReferenceMixture): number {
  const width = mixture.means[0].length;
  const count = rows.length / width;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += logSumExp(logDensities(Array.from({ length: width }, (_, d) => rows[i * width + d]), mixture));
  }
  return sum / count;
}

/** One iteration of EM with full or diagonal covariances, without a floor. */
export function iterate(rows: ArrayLike<number>, mixture: ReferenceMixture, full: boolean): ReferenceMixture {
  const width = mixture.means[0].length;
  const count = rows.length / width;
  const r = Array.from({ length: count }, (_, i) => {
    const logs = logDensities(Array.from({ length: width }, (_, d) => rows[i * width + d]), mixture);
    const total = logSumExp(logs);
    return logs.map((value) => Math.exp(value - total));
  });
  const components = mixture.shares.map((_, k) => {
    let total = 0;
    const mean = new Float64Array(width);
    const covariance = new Float64Array(width * width);
    for (let i = 0; i < count; i++) {
      total += r[i][k];
      for (let d = 0; d < width; d++) mean[d] += r[i][k] * rows[i * width + d];
    }
    for (let d = 0; d < width; d++) mean[d] /= total;
    for (let i = 0; i < count; i++) {
      for (let a = 0; a < width; a++) {
        for (let b = 0; b < width; b++) {
          if (!full && a !== b) continue;
          covariance[a * width + b] += r[i][k] * (rows[i * width + a] - mean[a]) * (rows[i * width + b] - mean[b]) /
            total;
        }
      }
    }
    return { share: total / count, mean, covariance };
  });
  return {
    shares: components.map(({ share }) => share),
    means: components.map(({ mean }) => mean),
    covariances: components.map(({ covariance }) => covariance),
  };
}
