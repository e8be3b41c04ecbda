/**
 * How a model with a codebook uses its codes.
 *
 * @module
 */

import type { Split } from "../dataset.ts";
import type { Trained } from "./trained.ts";

/** Rows encoded at a time. */
const ROWS = 1024;

/** exp H(p), p the shares of the counts: between 1, where one code is always used, and K, where all are used alike. 0 of no counts. */
export function perplexity(counts: ArrayLike<number>): number {
  let total = 0;
  for (let k = 0; k < counts.length; k++) total += counts[k];
  let entropy = 0;
  for (let k = 0; k < counts.length; k++) {
    if (counts[k] > 0) entropy -= counts[k] / total * Math.log(counts[k] / total);
  }
  return total > 0 ? Math.exp(entropy) : 0;
}

/** How the codes of one codebook are used. */
export interface CodeUsage {
  /** How often each is [K]. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Their {@linkcode perplexity}. */
  readonly perplexity: number;
}

/**
 * How often each code stands for a position of a split's rows.
 *
 * @returns One for each code of a position.
 * @throws {TypeError} If the model has no codes.
 */
export async function codeUsage<C extends object>(
  trained: Trained<C>,
  split: Split,
): Promise<readonly CodeUsage[]> {
  const { codes, name } = trained.model;
  if (!codes) throw new TypeError(`Cannot count the codes of "${name}": expected a model with a codebook`);
  const each = codes.each?.(trained.config) ?? 1;
  const counts = Array.from({ length: each }, () => new Uint32Array(codes.count(trained.config)));
  for (let from = 0; from < split.count; from += ROWS) {
    const rows = trained.rowsOf(split, from, Math.min(ROWS, split.count - from));
    (await trained.codes(rows)).forEach((code, i) => counts[i % each][code]++);
  }
  return counts.map((counts) => ({ counts, perplexity: perplexity(counts) }));
}
