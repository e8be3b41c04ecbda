/**
 * The FactorVAE score of disentanglement.
 *
 * @module
 */

import { uniforms } from "../core/graph/random.ts";
import { type Coded, columnsOf, momentsOf, rowsByLevel } from "./coded.ts";

/** How {@linkcode factorVaeScore} draws. The defaults are those of Locatello et al., arXiv:1811.12359. */
export interface FactorVaeScoreOptions {
  /** Rows that a vote is from, L. Default: 64; Kim and Mnih took 100. */
  readonly rows?: number;
  /** Votes that the classifier is made from. Default: 10,000; Kim and Mnih took 800. */
  readonly train?: number;
  /** Votes that it is tested on. Default: 5,000. */
  readonly test?: number;
  /** The deviation over all rows below which a code is left out, for it says nothing. Default: 0.05. */
  readonly minimumDeviation?: number;
  /** Default: 0. */
  readonly seed?: number;
}

/** The third coordinate of the random numbers, so that they are no other part's. */
const STREAM = 0xfac7;

/**
 * P[c = majority(d)], d = argmin_k Var z_k(x_l) / Var z_k, where x_1, ..., x_L have one value of factor c in common, c drawn evenly
 *
 * The accuracy of the classifier that guesses from the code that varied least which factor was held: for each code the factor that most of
 * its training votes were for. Chance is 1/C. A factor that is spread over several codes costs nothing.
 *
 * Source: Kim and Mnih, "Disentangling by factorising", ICML 2018, section 4.
 *
 * @returns From 0 to 1; 0 where no code varies.
 */
export function factorVaeScore(coded: Coded, options: FactorVaeScoreOptions = {}): number {
  const { rows = 64, train = 10_000, test = 5_000, minimumDeviation = 0.05, seed = 0 } = options;
  const { codes, factors, count } = columnsOf(coded);
  const active = codes.map((column) => ({ column, ...momentsOf(column) })).filter(({ deviation }) =>
    deviation >= minimumDeviation && deviation > 0
  );
  if (active.length === 0) return 0;
  const groups = factors.map(rowsByLevel);
  const votes = new Float64Array(active.length * factors.length);
  const draws = new Float64Array(2 + rows);
  const held = new Float64Array(rows);
  const vote = (p: number): readonly [code: number, factor: number] => {
    uniforms(draws, seed, p, STREAM);
    const factor = Math.floor(draws[0] * factors.length);
    const group = groups[factor][factors[factor].levels[Math.floor(draws[1] * count)]];
    let [code, least] = [0, Infinity];
    active.forEach(({ column, deviation }, k) => {
      for (let l = 0; l < rows; l++) held[l] = column[group[Math.floor(draws[2 + l] * group.length)]] / deviation;
      const { deviation: left } = momentsOf(held);
      if (left < least) [code, least] = [k, left];
    });
    return [code, factor];
  };
  for (let p = 0; p < train; p++) {
    const [code, factor] = vote(p);
    votes[code * factors.length + factor]++;
  }
  const majority = active.map((_, k) => {
    const of = votes.subarray(k * factors.length, (k + 1) * factors.length);
    return of.indexOf(of.reduce((most, n) => Math.max(most, n)));
  });
  let right = 0;
  for (let p = train; p < train + test; p++) {
    const [code, factor] = vote(p);
    if (majority[code] === factor) right++;
  }
  return right / test;
}
