/**
 * The modularity of codes.
 *
 * @module
 */

import { type Coded, columnsOf, informationMatrix } from "./coded.ts";
import type { BinOptions } from "./mutual_information_gap.ts";

/**
 * modularity = 1/K Σ_k (1 - Σ_{c ≠ b} I(z_k; v_c)² / (I(z_k; v_b)² (C - 1))), b the factor that code k says the most of
 *
 * Whether each code speaks of one factor only; it does not ask that every factor is spoken of. A code without any information
 * counts 0; one whose information is nothing but the bias of few rows may count more, so that random codes are not at 0.
 *
 * Source: Ridgeway and Mozer, "Learning deep disentangled embeddings with the F-statistic loss", NeurIPS 2018, section 2; 20 bins as
 * Locatello et al., arXiv:1811.12359.
 *
 * @returns From 0 to 1; 1 where there is one factor.
 */
export function modularity(coded: Coded, { bins = 20 }: BinOptions = {}): number {
  const columns = columnsOf(coded);
  const others = columns.factors.length - 1;
  const scores = informationMatrix(columns, bins).map((row) => {
    const squares = row.map((information) => information ** 2);
    const largest = squares.reduce((most, square) => Math.max(most, square));
    if (largest === 0) return 0;
    const rest = squares.reduce((sum, square) => sum + square) - largest;
    return others === 0 ? 1 : 1 - rest / (largest * others);
  });
  return scores.reduce((sum, score) => sum + score) / scores.length;
}
