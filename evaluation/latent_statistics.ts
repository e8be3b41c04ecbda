/**
 * How a model uses its latents, over the rows of a split.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import { drawEncoded, type LatentUse, latentUse, logDensity, marginals } from "../core/distributions/encoded.ts";
import type { Trained } from "../core/training/trained.ts";

/** How {@linkcode latentStatistics} measures. */
export interface LatentOptions {
  /** Rows, from the first on. Default: all of the split, 10,000 at most. */
  readonly rows?: number;
  /** Rows whose posteriors stand for the aggregate one; the work grows with its square. Default 2,000, all where there are fewer. */
  readonly mixture?: number;
  /** Of the draws. Default: that of the training. */
  readonly seed?: number;
}

/** What was measured. */
export interface LatentStatistics extends LatentUse {
  /** Active units by Burda's measure: dimensions with a {@linkcode LatentStatistics.variance} above {@linkcode ACTIVE_VARIANCE}. */
  readonly activeUnits: number;
  /** Var_x(E_q[z]) of each dimension [K]. */
  readonly variance: readonly number[];
  /** Of the aggregate posterior q(z) = E_x[q(z | x)], [K]: as the prior where the model fits, 0 and 1. */
  readonly aggregateMean: readonly number[];
  /** [K]: Var_x(E_q[z]) + E_x[Var_q[z]] */
  readonly aggregateVariance: readonly number[];
  /** I(x; z) of the rows of the mixture, nats. */
  readonly mutualInformation: number;
  /** KL(q(z) ‖ p(z)), nats: the part of the KL that says nothing of x. */
  readonly marginalKl: number;
  /** log M, which the estimate of the mutual information cannot exceed, nats. */
  readonly mutualInformationLimit: number;
  /** Rows measured. */
  readonly count: number;
}

/** Var_x(E_q[z]) above which a unit is active. */
export const ACTIVE_VARIANCE = 0.01;

/**
 * KL of each latent dimension, active units, moments of the aggregate posterior, and mutual information.
 *
 * A unit is active where Var_x(E_q(z|x)[z]) > 0.01. Source: Burda et al., arXiv:1509.00519, section 5.2.
 *
 * E_x[KL(q(z | x) ‖ p(z))] = I(x; z) + KL(q(z) ‖ p(z)), with I(x; z) estimated over M rows as
 * (1/M) Σₙ [log q(zₙ | xₙ) - log (1/M) Σₘ q(zₙ | xₘ)], zₙ ~ q(z | xₙ), which tells those M rows apart and is log M at most.
 * Source: Hoffman and Johnson, "ELBO surgery", NIPS 2016 workshop on approximate inference, equations 4 to 8.
 *
 * @throws {TypeError} If the posterior is no Gaussian, or the prior not N(0, I).
 */
export async function latentStatistics(
  trained: Trained,
  split: Split,
  { rows = 10_000, mixture = 2_000, seed = trained.training.seed }: LatentOptions = {},
): Promise<LatentStatistics> {
  if (trained.hasPrior && !trained.hasStandardPrior) {
    throw new TypeError(
      `Cannot measure the latents of "${trained.model.name}": expected the prior N(0, I), found another`,
    );
  }
  const count = Math.min(rows, split.count);
  const part = slice(split, 0, count);
  const x = trained.rowsOf(part, 0, count, seed);
  const encoded = await trained.posterior(x, part);
  const { latents, statistics } = encoded;
  const use = latentUse(encoded);
  const { mean, logVariance } = marginals(encoded);
  const aggregateMean = new Float64Array(latents);
  mean.forEach((value, i) => aggregateMean[i % latents] += value / count);
  const variance = new Float64Array(latents);
  mean.forEach((value, i) => variance[i % latents] += (value - aggregateMean[i % latents]) ** 2 / count);
  const aggregateVariance = Float64Array.from(variance);
  logVariance.forEach((value, i) => aggregateVariance[i % latents] += Math.exp(value) / count);

  const m = Math.min(mixture, count);
  const few = { ...encoded, count: m, statistics: statistics.slice(0, statistics.length / count * m) };
  const z = drawEncoded(few, seed);
  const density = logDensity(few);
  const logs = new Float64Array(m);
  let mutualInformation = 0;
  for (let n = 0; n < m; n++) {
    let largest = -Infinity;
    for (let i = 0; i < m; i++) {
      logs[i] = density(i, z, n * latents);
      largest = Math.max(largest, logs[i]);
    }
    let sum = 0;
    for (let i = 0; i < m; i++) sum += Math.exp(logs[i] - largest);
    mutualInformation += (logs[n] - largest - Math.log(sum) + Math.log(m)) / m;
  }
  const kl = latentUse(few).kl.reduce((sum, value) => sum + value, 0);
  return {
    ...use,
    activeUnits: variance.filter((value) => value > ACTIVE_VARIANCE).length,
    variance: [...variance],
    aggregateMean: [...aggregateMean],
    aggregateVariance: [...aggregateVariance],
    mutualInformation,
    marginalKl: kl - mutualInformation,
    mutualInformationLimit: Math.log(m),
    count,
  };
}
