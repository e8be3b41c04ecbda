/**
 * The log-likelihood of data: exact where a model has it, else by importance sampling with draws from the posterior.
 *
 * @module
 */

import type { Split } from "../core/dataset.ts";
import type { Binarization } from "../core/ops/gather.ts";
import type { Trained } from "../core/trained.ts";
import { type WeighingKind, weighRows } from "./weighing.ts";

/** The estimators of {@linkcode logLikelihood}, for settings. */
export const ESTIMATORS = ["importance", "harmonic"] as const;

/** How {@linkcode logLikelihood} measures. */
export interface LogLikelihoodOptions {
  /** L, draws of z for each datum. Default 1, with which the importance estimate is that of the ELBO. */
  readonly samples?: number;
  /** Default "importance". */
  readonly estimator?: typeof ESTIMATORS[number];
  /** Default: as in training. Pixels that are drawn are drawn once for each datum: L draws of z are of the same x. */
  readonly binarize?: Binarization;
  /** Default: that of the training. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called after each submit that is done. */
  readonly onProgress?: (progress: LikelihoodProgress) => void;
}

/** How far a measurement has come. */
export interface LikelihoodProgress {
  /** From 0 to 1. */
  readonly done: number;
  /** Draws of z weighed a second, over all data. */
  readonly datumSamplesPerSecond: number;
  /** Seconds left, at that speed. */
  readonly secondsLeft: number;
}

/** What was measured; nats per datum. */
export interface LogLikelihood {
  /** Mean of log p(x) over the rows. */
  readonly mean: number;
  /** Of the mean, from how much the rows differ: deviation / √count. The rows are the sample; it says nothing of the draws. */
  readonly standardError: number;
  /** log p(x) of each row. */
  readonly values: Float64Array<ArrayBuffer>;
  /** -(nll + kl) of each row. */
  readonly elbos: Float64Array<ArrayBuffer>;
  /** Whether it is an estimate. */
  readonly kind: WeighingKind;
  /** Mean of -(nll + kl). */
  readonly elbo: number;
  /** Mean of -log p(x | z) over the same draws. */
  readonly nll: number;
  /** Mean of KL(q(z | x) ‖ p(z)), in closed form. */
  readonly kl: number;
  /** Mean of (Σ w)² / Σ w²: how many of the L draws count. Near 1, the estimate hangs on single draws and is too low. */
  readonly effectiveSamples: number;
  /** Draws of z weighed a second, without compilation. */
  readonly datumSamplesPerSecond: number;
  /** L */
  readonly samples: number;
}

/**
 * log p(x) ≈ log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x), zₗ ~ q(z | x): in expectation from below, and the closer the larger L
 *
 * A batch is encoded once; then each step draws z, decodes, and adds to a running log-sum-exp of each datum, so that memory does not grow
 * with L and nothing is read back before the end. For models whose posterior is exact it is nll + kl, without draws.
 *
 * "harmonic" is -log (1/L) Σₗ q(zₗ | x) / (p(x | zₗ) p(zₗ)), with -log p(z) = ½‖z‖² + ½ K log 2π: right only with zₗ from the true posterior.
 * With zₗ from q it is biased: it tends to log p(x) - log E_q[q(z | x) / p(z | x)], which is below, comes to it from above, and is
 * dominated by the least probable draws. Only to be compared with figures that were formed by it.
 *
 * Source: Burda et al., arXiv:1509.00519, equation 8, and Rezende et al., arXiv:1401.4082, appendix E; harmonic: Kingma and Welling,
 * arXiv:1312.6114, appendix D, with the posterior in place of a density fitted to it.
 *
 * @throws {TypeError} If the model has no density.
 * @throws {RangeError} If `samples` is no positive integer.
 */
export async function logLikelihood(
  trained: Trained,
  split: Split,
  options: LogLikelihoodOptions = {},
): Promise<LogLikelihood> {
  return await weighRows(trained, split, options);
}
