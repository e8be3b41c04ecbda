/**
 * The divergence of posteriors from N(0, I) taken apart by the aggregate posterior, as plain float64 loops.
 *
 * @module
 */

import { logSumExp } from "./mixture.ts";

/** What it is made of. */
export interface ReferencePosteriors {
  /** z [N L, K] */
  readonly z: ArrayLike<number>;
  /** [N, 2 K]: μ, then log σ² */
  readonly statistics: ArrayLike<number>;
  readonly latents: number;
  /** Rows of the dataset. */
  readonly count: number;
  readonly estimator: "stratified" | "weighted";
}

/** [log q(z | x) - log q(z), log q(z) - Σ_k log q(z_k), Σ_k log q(z_k) - log N(z_k; 0, 1)] of each draw. */
export function decomposeDivergence(
  { z, statistics, latents, count, estimator }: ReferencePosteriors,
): readonly (readonly [number, number, number])[] {
  const batch = statistics.length / (2 * latents);
  const draws = z.length / latents / batch;
  const logNormal = (x: number, mean: number, logVariance: number) =>
    -0.5 * (Math.log(2 * Math.PI) + logVariance + (x - mean) ** 2 / Math.exp(logVariance));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const all = Array.from({ length: latents }, (_, k) => k);
  return Array.from({ length: batch * draws }, (_, n) => {
    const own = Math.floor(n / draws);
    /** log q(z_nk | x_m) */
    const log = (m: number, k: number) =>
      logNormal(
        z[n * latents + k],
        statistics[m * 2 * latents + k],
        statistics[m * 2 * latents + latents + k],
      );
    const others = batch - 1;
    const weights = Array.from({ length: batch }, (_, m) => {
      if (estimator === "weighted") return 1 / (count * batch);
      if (batch === 1) return 1;
      if (m === own) return 1 / count;
      return m === (own + 1) % batch ? (count - others) / (count * others) : 1 / others;
    });
    const mixed = (logs: readonly number[]) => logSumExp(logs.map((log, m) => log + Math.log(weights[m])));
    const joint = mixed(weights.map((_, m) => sum(all.map((k) => log(m, k)))));
    const marginals = sum(all.map((k) => mixed(weights.map((_, m) => log(m, k)))));
    const prior = sum(all.map((k) => logNormal(z[n * latents + k], 0, 0)));
    return [sum(all.map((k) => log(own, k))) - joint, joint - marginals, marginals - prior];
  });
}
