/**
 * The mutual information gap of disentanglement.
 *
 * @module
 */

import { type Coded, columnsOf, entropy, informationMatrix, meanGap } from "./coded.ts";

/** How measures by mutual information see codes. */
export interface BinOptions {
  /** Bins of equal width that each code is cut into. Default: 20. */
  readonly bins?: number;
}

/**
 * MIG = 1/C Σ_c (I(z_k; v_c) - I(z_l; v_c)) / H(v_c), k and l the codes that say the most and the second most of factor c
 *
 * How much more of a factor is in one code than in any other. It says nothing of what else is in that code: one that holds two
 * factors may have a large gap in both.
 *
 * Source: Chen et al., "Isolating sources of disentanglement in VAEs", NeurIPS 2018, section 4; 20 bins as Locatello et al.,
 * arXiv:1811.12359.
 *
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const factors = [0, 0, 0, 1, 1, 0, 1, 1]; // [4, 2]
 * const [apart, rotated] = [[5, 0, 5, 1, 7, 0, 7, 1], [0, 0, 1, -1, 1, 1, 2, 0]]; // the factors; their sum and difference
 * assertAlmostEquals(mutualInformationGap({ codes: apart, factors, count: 4 }), 1);
 * assertAlmostEquals(mutualInformationGap({ codes: rotated, factors, count: 4 }), 0);
 * ```
 */
export function mutualInformationGap(coded: Coded, { bins = 20 }: BinOptions = {}): number {
  const columns = columnsOf(coded);
  const entropies = columns.factors.map(entropy);
  return meanGap(
    informationMatrix(columns, bins).map((row) => row.map((information, c) => information / entropies[c])),
  );
}
