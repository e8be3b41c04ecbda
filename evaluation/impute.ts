/**
 * Filling in what is missing of rows, by what a model knows of the rest.
 *
 * @module
 */

import type { ConditionOptions } from "../core/training/batch.ts";
import type { Dataset } from "../core/dataset.ts";
import { logDensity } from "../core/distributions/encoded.ts";
import { uniforms } from "../core/graph/random.ts";
import type { Trained } from "../core/training/trained.ts";
import { inputRows, type RowValues } from "../core/values.ts";

/** Parts of an image that can be missing, besides `random:P`. */
export const MASKS = ["left", "right", "top", "bottom", "center"] as const;

/**
 * Which values are known: half of the image is missing, the middle of it (half of each side), or with `random:P` each pixel with
 * probability P.
 *
 * @param seed Of `random:P`.
 * @returns [D]: 1 where a value is observed, 0 where it is missing; all channels of a pixel alike.
 * @throws {RangeError} If there is no such mask.
 */
export function imageMask(name: string, shape: Dataset["shape"], seed = 0): Uint8Array<ArrayBuffer> {
  const [height, width, channels] = shape;
  const random = /^random:(0?\.\d+|0|1)$/.exec(name);
  const u = random ? uniforms(new Float64Array(height * width), seed, 0, 0) : undefined;
  const within = (at: number, size: number) => at >= Math.floor(size / 4) && at < size - Math.floor(size / 4);
  const missing = (y: number, x: number): boolean => {
    switch (name) {
      case "left":
        return x < width / 2;
      case "right":
        return x >= width / 2;
      case "top":
        return y < height / 2;
      case "bottom":
        return y >= height / 2;
      case "center":
        return within(y, height) && within(x, width);
      default:
        if (!random) {
          throw new RangeError(
            `Cannot mask "${name}": expected ${MASKS.join(", ")}, or random:P with P from 0 to 1, as in random:0.5`,
          );
        }
        return u![y * width + x] < Number(random[1]);
    }
  };
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return missing(Math.floor(pixel / width), pixel % width) ? 0 : 1;
  });
}

/** How {@linkcode impute} works. */
export interface ImputeOptions extends ConditionOptions {
  /** Rounds, each with a draw of z by every chain. Default 50. */
  readonly iterations?: number;
  /** C, chains for each row. Default 8. */
  readonly chains?: number;
  /** What missing values start from, [D] or one for all. Default 1/2. */
  readonly start?: ArrayLike<number>;
  /** Complete rows [M, D]: each chain starts from another of the C nearest in what is observed, in place of `start`. */
  readonly neighbours?: Float32Array;
  /** Of the draws. Default 0. */
  readonly seed?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Called after each round with the fraction done. */
  readonly onProgress?: (done: number) => void;
}

/** What {@linkcode impute} found. */
export interface Imputed {
  /** E[x | x_observed] [N, D]; the observed values as they were. */
  readonly values: Float32Array<ArrayBuffer>;
  /** Standard deviation of E[x | z] over p(z | x_observed), [N, D]: how far apart the possible completions lie. 0 where x is observed. */
  readonly deviation: Float32Array<ArrayBuffer>;
  /** (Σ w)² / Σ w² of each row, [N]: how many of the draws count. None for a model without a density. */
  readonly effectiveDraws?: Float64Array<ArrayBuffer>;
}

/** Values of a block of rows, about: a block goes through all rounds before the next. */
const BLOCK_VALUES = 2 ** 22;

/** Draws of a round at most. */
const BLOCK_DRAWS = 4096;

/**
 * E[x_missing | x_observed] ≈ Σ w E[x_missing | z] / Σ w, with z ~ q(z | x_observed, x_missing) and w = p(x_observed | z) p(z) / q(z)
 *
 * Importance sampling of p(z | x_observed). A row has C chains, each with an x_missing of its own, which moves its proposal: after each
 * round it is drawn anew from p(x_missing | z), z being one of the round's draws, chosen by weight. q(z) in the weight is the mixture of
 * the C proposals, so a draw that only its own proposal finds probable does not get a great weight. The weights are right whatever the
 * x_missing are, so all rounds count, and the estimate converges as they grow. A Gibbs sampler that accepts every draw of q does not:
 * it drifts away from what is observed.
 *
 * A model without a Gaussian posterior puts its reconstruction in place of what is missing, over and over; given is the mean of the last half.
 *
 * Source: Mattei and Frellsen, "MIWAE", arXiv:1812.02633, equation 12; Cappé et al., "Population Monte Carlo", 2004; the mixture: Owen and
 * Zhou, "Safe and effective importance sampling", 2000. Gibbs: Rezende et al., arXiv:1401.4082, appendix F.
 *
 * @param given [N, D], values as the model was given them in training; what is missing is not read.
 * @param mask 1 where a value is observed, [D], or [N, D] for rows that miss different values.
 * @throws {RangeError} If the mask is of another size, nothing of a row is observed, or there are no rounds or chains.
 */
export async function impute(
  trained: Trained,
  given: RowValues,
  mask: ArrayLike<number>,
  options: ImputeOptions = {},
): Promise<Imputed> {
  const { iterations = 50, chains = 8, signal, onProgress } = options;
  const width = trained.features;
  const shown = (value: number, i: number) => mask[i % mask.length] ? value : 0;
  const rows = inputRows("impute", given, width, trained.data.range?.kind, shown);
  const count = rows.length / width;
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(`Cannot impute: expected rows of ${width} values, found ${rows.length} values`);
  }
  for (const [name, value] of Object.entries({ iteration: iterations, chain: chains })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`Cannot impute: expected at least 1 ${name}, found ${value}`);
  }
  const observed = requireMask(mask, width, count);
  const random = await trained.hasGaussianPosterior();
  const each = Math.max(1, Math.floor(Math.min(BLOCK_DRAWS, BLOCK_VALUES / width) / chains));
  const values = new Float32Array(rows.length);
  const deviation = new Float32Array(rows.length);
  const effectiveDraws = new Float64Array(count);
  for (let from = 0; from < count; from += each) {
    const to = Math.min(from + each, count);
    const part = <T extends ArrayLike<number>>(all: T) => Array.prototype.slice.call(all, from * width, to * width);
    const block: Block = {
      count: to - from,
      x: rows.subarray(from * width, to * width),
      observed: Uint8Array.from(observed.length === width ? repeat(observed, to - from) : part(observed)),
      condition: conditionOf(options, from, to, count),
      seed: ((options.seed ?? 0) + Math.imul(from, 0x85ebca6b)) >>> 0,
      round: (done) => {
        signal?.throwIfAborted();
        onProgress?.((from + (to - from) * done / iterations) / count);
      },
    };
    const found = await (random ? weighed : reconstructed)(trained, block, options);
    values.set(found.values, from * width);
    deviation.set(found.deviation, from * width);
    if (found.effectiveDraws) effectiveDraws.set(found.effectiveDraws, from);
  }
  return { values, deviation, ...(random ? { effectiveDraws } : {}) };
}

function requireMask(mask: ArrayLike<number>, width: number, count: number): Uint8Array {
  const observed = Uint8Array.from(mask, (value) => value ? 1 : 0);
  const masks = observed.length / width;
  for (let row = 0; row < masks; row++) {
    if (masks !== 1 && masks !== count) break;
    if (observed.subarray(row * width, (row + 1) * width).includes(1)) continue;
    const which = masks === 1 ? "the mask" : `row ${row} of the mask`;
    throw new RangeError(`Cannot impute: expected some values observed, found none in ${which}`);
  }
  if (masks === 1 || masks === count) return observed;
  throw new RangeError(
    `Cannot impute: expected a mask of ${width} values, or of ${count} x ${width}, found ${observed.length}`,
  );
}

/** Rows that are imputed together. */
interface Block {
  /** B */
  readonly count: number;
  /** [B, D] */
  readonly x: Float32Array;
  /** [B, D] */
  readonly observed: Uint8Array;
  readonly condition: ConditionOptions;
  readonly seed: number;
  /** Is told how many rounds are done. */
  readonly round: (done: number) => void;
}

function repeat(values: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}

/** The labels or covariates of the rows `from` to `to`. */
function conditionOf({ labels, covariates }: ConditionOptions, from: number, to: number, count: number) {
  const part = (values: ArrayLike<number>) => {
    const width = values.length / count;
    return Array.prototype.slice.call(values, from * width, to * width) as number[];
  };
  return { ...(labels ? { labels: part(labels) } : {}), ...(covariates ? { covariates: part(covariates) } : {}) };
}

/** What the chains of each row start from: B C rows of D, what is observed in each. */
function starts({ x, observed, count }: Block, width: number, chains: number, options: ImputeOptions): Float32Array {
  const { start = [0.5], neighbours } = options;
  const all = new Float32Array(count * chains * width);
  for (let row = 0; row < count; row++) {
    const at = row * width;
    const nearest = neighbours && nearestTo(x, observed, at, neighbours, width, chains);
    for (let chain = 0; chain < chains; chain++) {
      const like = nearest?.[chain % nearest.length];
      for (let i = 0; i < width; i++) {
        const missing = like === undefined ? start[i % start.length] : neighbours![like * width + i];
        all[(row * chains + chain) * width + i] = observed[at + i] ? x[at + i] : missing;
      }
    }
  }
  return all;
}

/** The numbers of the rows nearest to a row in what is observed of it. */
function nearestTo(
  x: Float32Array,
  observed: Uint8Array,
  at: number,
  neighbours: Float32Array,
  width: number,
  count: number,
): number[] {
  const columns = Array.from({ length: width }, (_, i) => i).filter((i) => observed[at + i]);
  const distances = Float64Array.from({ length: neighbours.length / width }, (_, row) => {
    let sum = 0;
    for (const i of columns) sum += (x[at + i] - neighbours[row * width + i]) ** 2;
    return sum;
  });
  return Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b).slice(0, count);
}

/** Importance sampling, for a model with a density. */
async function weighed(trained: Trained, block: Block, options: ImputeOptions): Promise<Imputed> {
  const { iterations = 50, chains = 8 } = options;
  const { count, x, observed, seed } = block;
  const [width, latents] = [trained.features, trained.latents];
  const input = new Float32Array(count * chains * 2 * width);
  const started = starts(block, width, chains, options);
  for (let j = 0; j < count * chains; j++) {
    const at = Math.floor(j / chains) * width;
    input.set(started.subarray(j * width, (j + 1) * width), j * 2 * width);
    input.set(observed.subarray(at, at + width), (j * 2 + 1) * width);
  }
  const condition = ofChains(block, chains);
  const [sums, squares] = [new Float64Array(count * width), new Float64Array(count * width)];
  const [total, totalSquares] = [new Float64Array(count), new Float64Array(count)];
  const largest = new Float64Array(count).fill(-Infinity);
  const logWeights = new Float64Array(chains);
  for (let round = 0; round < iterations; round++) {
    const step = (seed + Math.imul(round, 0x9e3779b1)) >>> 0;
    const draws = await trained.weightedDraws(input, { ...condition, seed: step });
    const density = logDensity(draws.encoded);
    const u = uniforms(new Float64Array(count * chains), step, 0, 4);
    for (let row = 0; row < count; row++) {
      const first = row * chains;
      for (let c = 0; c < chains; c++) {
        const j = first + c;
        const proposals = Array.from({ length: chains }, (_, e) => density(first + e, draws.z, j * latents));
        const prior = proposals[c] - draws.divergence[j];
        const logWeight = prior - draws.nll[j] - logMeanExp(proposals);
        logWeights[c] = Number.isNaN(logWeight) ? -Infinity : logWeight;
      }
      const top = Math.max(...logWeights);
      if (top === -Infinity) continue;
      const [at, scale] = [row * width, Math.exp(largest[row] - Math.max(largest[row], top))];
      if (scale < 1) {
        for (let i = at; i < at + width; i++) [sums[i], squares[i]] = [sums[i] * scale, squares[i] * scale];
        [total[row], totalSquares[row]] = [total[row] * scale, totalSquares[row] * scale ** 2];
        largest[row] = top;
      }
      for (let c = 0; c < chains; c++) {
        const weight = Math.exp(logWeights[c] - largest[row]);
        total[row] += weight;
        totalSquares[row] += weight ** 2;
        // Below what float32 draws could change of a sum.
        if (weight < 1e-12) continue;
        const from = (first + c) * width;
        for (let i = 0; i < width; i++) {
          const value = draws.mean[from + i];
          sums[at + i] += weight * value;
          squares[at + i] += weight * value ** 2;
        }
      }
      const shares = logWeights.map((value) => Math.exp(value - top));
      for (let c = 0; c < chains; c++) {
        const from = (first + chosen(shares, u[first + c])) * width;
        for (let i = 0; i < width; i++) {
          if (!observed[at + i]) input[(first + c) * 2 * width + i] = draws.sample[from + i];
        }
      }
    }
    block.round(round + 1);
  }
  const mean = sums.map((sum, i) => sum / total[Math.floor(i / width)]);
  const variance = squares.map((sum, i) => Math.max(0, sum / total[Math.floor(i / width)] - mean[i] ** 2));
  return {
    values: x.map((value, i) => observed[i] ? value : mean[i]) as Float32Array<ArrayBuffer>,
    deviation: Float32Array.from(variance, (value, i) => observed[i] ? 0 : Math.sqrt(value)),
    effectiveDraws: total.map((sum, row) => sum ** 2 / totalSquares[row]),
  };
}

/** The condition of every chain. */
function ofChains({ condition: { labels, covariates }, count }: Block, chains: number): ConditionOptions {
  const each = (values: ArrayLike<number>) => {
    const width = values.length / count;
    return Array.from({ length: values.length * chains }, (_, i) => {
      const row = Math.floor(i / width / chains);
      return values[row * width + i % width];
    });
  };
  return { ...(labels ? { labels: each(labels) } : {}), ...(covariates ? { covariates: each(covariates) } : {}) };
}

/** log (1/n) Σ exp v */
function logMeanExp(values: readonly number[]): number {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0) / values.length);
}

/** The index whose share of the whole holds the uniform number. */
function chosen(shares: Float64Array, uniform: number): number {
  let left = uniform * shares.reduce((sum, share) => sum + share, 0);
  const index = shares.findIndex((share) => (left -= share) < 0);
  return index < 0 ? shares.indexOf(Math.max(...shares)) : index;
}

/** Reconstruction in place of what is missing, for a model without a density. */
async function reconstructed(trained: Trained, block: Block, options: ImputeOptions): Promise<Imputed> {
  const { iterations = 50, chains = 8 } = options;
  const { count, x: given, observed, condition } = block;
  const width = trained.features;
  const started = starts(block, width, chains, options);
  const x = Float32Array.from(given, (value, i) => {
    if (observed[i]) return value;
    const [row, column] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let c = 0; c < chains; c++) sum += started[(row * chains + c) * width + column];
    return sum / chains;
  });
  const sums = new Float64Array(count * width);
  const counted = Math.ceil(iterations / 2);
  for (let round = 0; round < iterations; round++) {
    const again = await trained.reconstruct(x, condition);
    for (let i = 0; i < x.length; i++) {
      if (observed[i]) continue;
      x[i] = again[i];
      if (round >= iterations - counted) sums[i] += again[i] / counted;
    }
    block.round(round + 1);
  }
  return {
    values: given.map((value, i) => observed[i] ? value : sums[i]) as Float32Array<ArrayBuffer>,
    deviation: new Float32Array(x.length),
  };
}
