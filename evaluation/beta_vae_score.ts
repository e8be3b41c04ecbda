/**
 * The β-VAE score of disentanglement.
 *
 * @module
 */

import { uniforms } from "../core/graph/random.ts";
import { type Coded, columnsOf, rowsByLevel } from "./coded.ts";
import { logisticRegression } from "./logistic_regression.ts";

/** How {@linkcode betaVaeScore} draws. The defaults are those of Locatello et al., arXiv:1811.12359. */
export interface BetaVaeScoreOptions {
  /** Pairs of rows that a point is the mean of, L. Default: 64. */
  readonly pairs?: number;
  /** Points that the classifier learns from. Default: 10,000. */
  readonly train?: number;
  /** Points that it is tested on. Default: 5,000. */
  readonly test?: number;
  /** Default: 0. */
  readonly seed?: number;
}

/** The third coordinate of the random numbers, so that they are no other part's. */
const STREAM = 0xbe7a;

/**
 * P[c = argmax softmax(W d + b)], d = 1/L Σ |z(x_l) - z(x'_l)| where x_l and x'_l have factor c in common, c drawn evenly
 *
 * The accuracy of a linear classifier that tells from the mean difference of codes which factor was held. Chance is 1/C. It asks less than
 * MIG or DCI: with all factors but one disentangled it is 1 already, for the classifier takes what shows no factor for the last.
 *
 * Source: Higgins et al., "beta-VAE", ICLR 2017, section 3.
 *
 * @returns From 0 to 1.
 */
export function betaVaeScore(coded: Coded, options: BetaVaeScoreOptions = {}): number {
  const { pairs = 64, train = 10_000, test = 5_000, seed = 0 } = options;
  const { codes, factors, count } = columnsOf(coded);
  const width = codes.length;
  const groups = factors.map(rowsByLevel);
  const points = new Float64Array((train + test) * width);
  const labels = new Int32Array(train + test);
  const draws = new Float64Array(1 + 2 * pairs);
  for (let p = 0; p < train + test; p++) {
    uniforms(draws, seed, p, STREAM);
    const factor = Math.floor(draws[0] * factors.length);
    labels[p] = factor;
    const { levels } = factors[factor];
    for (let l = 0; l < pairs; l++) {
      const first = Math.floor(draws[1 + 2 * l] * count);
      const group = groups[factor][levels[first]];
      const second = group[Math.floor(draws[2 + 2 * l] * group.length)];
      for (let k = 0; k < width; k++) points[p * width + k] += Math.abs(codes[k][first] - codes[k][second]) / pairs;
    }
  }
  const by = logisticRegression(points.subarray(0, train * width), labels.subarray(0, train), factors.length);
  const told = by.predict(points.subarray(train * width));
  return told.filter((factor, i) => factor === labels[train + i]).length / test;
}
