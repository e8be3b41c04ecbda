/**
 * How a model uses its latents, over the rows of a split.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import {
  drawEncoded,
  type Encoded,
  type LatentUse,
  latentUse,
  logDensity,
  marginals,
} from "../core/distributions/encoded.ts";
import type { ConditionOptions } from "../core/training/batch.ts";
import type { Trained } from "../core/training/trained.ts";

/** How {@linkcode latentStatistics} measures. */
export interface LatentOptions {
  /** Rows, from the first on. Default: all of the split, 10,000 at most. */
  readonly rows?: number;
  /**
   * M, rows whose posteriors stand for the aggregate one; the work grows with its square. Default 2,000, or 256 where the posterior is no
   * Gaussian; all where there are fewer.
   */
  readonly mixture?: number;
  /** Of the draws. Default: that of the training. */
  readonly seed?: number;
}

/** What was measured. The use of each dimension is known where its KL has a closed form: of a Gaussian posterior with the prior N(0, I). */
export interface LatentStatistics extends Partial<LatentUse> {
  /** K */
  readonly of: number;
  /** Active units by Burda's measure: dimensions with a {@linkcode LatentStatistics.variance} above {@linkcode ACTIVE_VARIANCE}. */
  readonly activeUnits: number;
  /** Var_x(E_q[z]) of each dimension [K]; estimated by draws where the posterior is no Gaussian, and then it may fall below 0. */
  readonly variance: readonly number[];
  /** Of the aggregate posterior q(z) = E_x[q(z | x)], [K]: as the prior where the model fits, 0 and 1 of N(0, I). */
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

/** Draws of each row by which moments are estimated: those of 1,000 rows leave about 0.003 of a variance of 0, where z has a variance of 1. */
const DRAWS = 16;

/** Rows that draw at a time. */
const ROWS_AT_A_TIME = 128;

/** Draws whose density every row gives at a time, where the posterior is no Gaussian. */
const AT_A_TIME = 8;

/**
 * KL of each latent dimension, active units, moments of the aggregate posterior, and mutual information.
 *
 * A unit is active where Var_x(E_q(z|x)[z]) > 0.01. Source: Burda et al., arXiv:1509.00519, section 5.2.
 *
 * E_x[KL(q(z | x) ‖ p(z))] = I(x; z) + KL(q(z) ‖ p(z)), with I(x; z) estimated over M rows as
 * (1/M) Σₙ [log q(zₙ | xₙ) - log (1/M) Σₘ q(zₙ | xₘ)], zₙ ~ q(z | xₙ), which tells those M rows apart and is log M at most. The left
 * side is in closed form, or the mean over the same zₙ of log q(zₙ | xₙ) - log p(zₙ). Of several levels z is all of them. A learned prior
 * of a conditional model may follow from c: both parts are then given c, I(x; z | c) over the rows of equal c, and E_c KL(q(z | c) ‖ p(z | c)).
 * Source: Hoffman and Johnson, "ELBO surgery", NIPS 2016 workshop on approximate inference, equations 4 to 8.
 *
 * @throws {TypeError} If the density of the posterior is not known at any z.
 */
export async function latentStatistics(
  trained: Trained,
  split: Split,
  { rows = 10_000, mixture, seed = trained.training.seed }: LatentOptions = {},
): Promise<LatentStatistics> {
  if (!await trained.hasPosteriorDensity()) {
    throw new TypeError(
      `Cannot measure the latents of "${trained.model.name}": expected a posterior whose density is known at any z, found none`,
    );
  }
  const count = Math.min(rows, split.count);
  const part = slice(split, 0, count);
  const x = trained.rowsOf(part, 0, count, seed);
  const encoded = await trained.posterior(x, part);
  const { latents, statistics, covariance } = encoded;
  const closed = covariance && (trained.hasStandardPrior || !trained.hasPrior);
  const moments = covariance ? momentsOf(encoded) : await momentsOfDraws(trained, x, part, seed);

  const m = Math.min(mixture ?? (covariance ? 2_000 : 256), count);
  const few = { ...encoded, count: m, statistics: statistics.slice(0, statistics.length / count * m) };
  const [rowsOfFew, given] = [x.subarray(0, m * trained.features), slice(part, 0, m)];
  const drawn = closed
    ? { z: drawEncoded(few, seed), kl: latentUse(few).kl.reduce((sum, value) => sum + value, 0) }
    : await trained.posteriorDraws(rowsOfFew, { ...conditionOf(given), seed }).then(({ z, divergence }) => (
      { z, kl: divergence.reduce((sum, value) => sum + value / m, 0) }
    ));
  const density = covariance ? densityOf(few, drawn.z) : await densityByModel(trained, rowsOfFew, given, drawn.z);
  const alike = rowsAlike(trained, given);
  let [mutualInformation, mutualInformationLimit] = [0, 0];
  for (let n = 0; n < m; n++) {
    const logs = alike(n).map((i) => density(i, n));
    const largest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
    const sum = logs.reduce((sum, log) => sum + Math.exp(log - largest), 0);
    mutualInformation += (density(n, n) - largest - Math.log(sum) + Math.log(logs.length)) / m;
    mutualInformationLimit += Math.log(logs.length) / m;
  }
  return {
    ...closed ? latentUse(encoded) : { of: latents },
    activeUnits: moments.variance.filter((value) => value > ACTIVE_VARIANCE).length,
    ...moments,
    mutualInformation,
    marginalKl: drawn.kl - mutualInformation,
    mutualInformationLimit,
    count,
  };
}

/** What is given of the rows besides, without the rows. */
const conditionOf = ({ labels, covariates }: Split): ConditionOptions => ({ labels, covariates });

type Moments = Pick<LatentStatistics, "variance" | "aggregateMean" | "aggregateVariance">;

/** Of Gaussians. */
function momentsOf(encoded: Encoded): Moments {
  const { latents, count } = encoded;
  const { mean, logVariance } = marginals(encoded);
  const aggregateMean = new Float64Array(latents);
  mean.forEach((value, i) => aggregateMean[i % latents] += value / count);
  const variance = new Float64Array(latents);
  mean.forEach((value, i) => variance[i % latents] += (value - aggregateMean[i % latents]) ** 2 / count);
  const aggregateVariance = Float64Array.from(variance);
  logVariance.forEach((value, i) => aggregateVariance[i % latents] += Math.exp(value) / count);
  return { variance: [...variance], aggregateMean: [...aggregateMean], aggregateVariance: [...aggregateVariance] };
}

/** By draws: what those of a row differ by among themselves is taken from what their means differ by. */
async function momentsOfDraws(trained: Trained, x: Float32Array, part: Split, seed: number): Promise<Moments> {
  const { latents, features } = trained;
  const { count } = part;
  const [mean, square, within] = [0, 0, 0].map(() => new Float64Array(latents));
  for (let from = 0; from < count; from += ROWS_AT_A_TIME) {
    const rows = Math.min(ROWS_AT_A_TIME, count - from);
    const some = x.subarray(from * features, (from + rows) * features);
    const given = { ...conditionOf(slice(part, from, from + rows)), samples: DRAWS, seed: (seed + from) % 2 ** 32 };
    const { z } = await trained.posteriorDraws(some, given);
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < latents; k++) {
        const at = (draw: number) => z[(row * DRAWS + draw) * latents + k];
        let [own, apart] = [0, 0];
        for (let draw = 0; draw < DRAWS; draw++) own += at(draw) / DRAWS;
        for (let draw = 0; draw < DRAWS; draw++) apart += (at(draw) - own) ** 2 / (DRAWS - 1);
        mean[k] += own / count;
        square[k] += own * own / count;
        within[k] += apart / count;
      }
    }
  }
  const variance = Array.from(square, (value, k) => value - mean[k] ** 2 - within[k] / DRAWS);
  return { variance, aggregateMean: [...mean], aggregateVariance: variance.map((value, k) => value + within[k]) };
}

/** log q(zₙ | xᵢ), or that less what follows from zₙ alone. */
type Density = (i: number, n: number) => number;

function densityOf(encoded: Encoded, z: Float32Array): Density {
  const density = logDensity(encoded);
  return (i, n) => density(i, z, n * encoded.latents);
}

/** By every row's own posterior on the GPU, some draws at a time. */
async function densityByModel(trained: Trained, x: Float32Array, given: Split, z: Float32Array): Promise<Density> {
  const { latents } = trained;
  const { count } = given;
  const ratios: Float32Array[] = [];
  for (let n = 0; n < count; n += AT_A_TIME) {
    // The same draws for every row; behind the last ones anything stands.
    const some = new Float32Array(AT_A_TIME * latents);
    some.set(z.subarray(n * latents, (n + AT_A_TIME) * latents));
    const all = new Float32Array(count * some.length);
    for (let i = 0; i < count; i++) all.set(some, i * some.length);
    ratios.push(await trained.posteriorRatios(x, all, conditionOf(given)));
  }
  return (i, n) => -ratios[Math.floor(n / AT_A_TIME)][i * AT_A_TIME + n % AT_A_TIME];
}

/** The rows that a row is told apart from: all, or with a learned prior those of its condition. */
function rowsAlike(trained: Trained, { count, labels, covariates }: Split): (row: number) => readonly number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  const kind = trained.hasStandardPrior ? undefined : trained.model.condition?.(trained.config);
  if (!kind) return () => all;
  const width = (covariates?.length ?? 0) / count;
  const ofRow = (i: number) =>
    kind === "covariates" ? covariates!.slice(i * width, (i + 1) * width).join() : String(labels![i]);
  const groups = Map.groupBy(all, ofRow);
  return (row) => groups.get(ofRow(row))!;
}
