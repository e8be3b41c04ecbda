/**
 * Filling in what is missing of images.
 *
 * @module
 */

import type { ConditionOptions } from "../core/training/batch.ts";
import type { Dataset } from "../core/dataset.ts";
import { drawEncoded, marginals } from "../core/distributions/encoded.ts";
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
  /** Rounds of encoding and decoding. Default 100. */
  readonly iterations?: number;
  /** What missing values start from, [D] or one for all. Default 1/2. */
  readonly start?: ArrayLike<number>;
  /** Of the draws. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Called after each round with the fraction done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * E[x_missing | x_observed] by a Markov chain: z ~ q(z | x_observed, x_missing), then x_missing ~ p(x | z), over and over
 *
 * Given is the mean of p(x_missing | z) over the second half of the rounds. The chain is the exact Gibbs sampler where q is the true
 * posterior, and near it where q is near. From a model without a density, the reconstruction is put in place of a draw.
 *
 * Source: Rezende, Mohamed and Wierstra, arXiv:1401.4082, appendix F.
 *
 * @param given [N, D], values from 0 to 1 as the model was given them in training; what is missing is not read.
 * @param mask 1 where a value is observed, [D].
 * @returns [N, D], the observed values as they were.
 * @throws {RangeError} If the mask is of another size, nothing is observed, or there are no rounds.
 */
export async function impute(
  trained: Trained,
  given: RowValues,
  mask: ArrayLike<number>,
  { iterations = 100, start = [0.5], seed = 0, signal, onProgress, ...condition }: ImputeOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const width = trained.features;
  const observed = Array.from(mask).filter((value) => value).length;
  if (mask.length !== width || observed === 0) {
    throw new RangeError(
      `Cannot impute: expected a mask of ${width} values with some observed, found ${mask.length} with ${observed} observed`,
    );
  }
  if (!Number.isSafeInteger(iterations) || iterations < 1) {
    throw new RangeError(`Cannot impute: expected at least 1 iteration, found ${iterations}`);
  }
  const x = inputRows(
    "impute",
    given,
    width,
    trained.data.range?.kind,
    (value, i) => mask[i % width] ? value : start[i % width % start.length],
  );
  const sums = new Float64Array(x.length);
  const counted = Math.ceil(iterations / 2);
  for (let round = 0; round < iterations; round++) {
    signal?.throwIfAborted();
    const step = (seed + Math.imul(round, 0x9e3779b1)) >>> 0;
    const encoded = await trained.posterior(x, condition);
    const random = encoded.covariance !== undefined && trained.model.density !== "none";
    const z = random ? drawEncoded(encoded, step) : marginals(encoded).mean;
    const last = round >= iterations - counted;
    const mean = last || !random ? await trained.decode(z, condition) : undefined;
    if (last) mean!.forEach((value, i) => sums[i] += value / counted);
    const next = random ? await trained.decode(z, { ...condition, draw: "sample", seed: step }) : mean!;
    for (let i = 0; i < x.length; i++) if (!mask[i % width]) x[i] = next[i];
    onProgress?.((round + 1) / iterations);
  }
  return x.map((value, i) => mask[i % width] ? value : sums[i]);
}
