/**
 * DCI: disentanglement, completeness and informativeness of codes.
 *
 * @module
 */

import { boostedTrees } from "./boosted_trees.ts";
import { type Coded, columnsOf, trainingRows } from "./coded.ts";

/** What {@linkcode dci} gives, each from 0 to 1. */
export interface Dci {
  /** Whether each code matters for one factor only. */
  readonly disentanglement: number;
  /** Whether for each factor one code only matters. */
  readonly completeness: number;
  /** How well all codes together predict each factor: the mean accuracy on rows to test on. */
  readonly informativeness: number;
  /** R, how much code k matters for factor c: K rows of C, the sum of each factor's column 1. */
  readonly importance: readonly (readonly number[])[];
}

/** 1 - H / log n of shares that need not sum to 1; of one share it is 1. */
function concentration(shares: readonly number[]): number {
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (total === 0) return 0;
  if (shares.length === 1) return 1;
  return 1 + shares.reduce((sum, share) => share > 0 ? sum + share / total * Math.log(share / total) : sum, 0) /
      Math.log(shares.length);
}

/**
 * D = Σ_k ρ_k (1 - H_C(P_k)), P_kc = R_kc / Σ_c R_kc, ρ_k = Σ_c R_kc / Σ R; C = Σ_c σ_c (1 - H_K(Q_c)), likewise over codes
 *
 * R_kc is how much code k matters to a classifier that predicts factor c from all codes, entropies to the base of how many there are. The
 * classifiers are gradient-boosted trees with scikit-learn's defaults, as in Locatello et al. With the lasso or the random forest of
 * the authors the values differ: compare only figures by the same.
 *
 * Source: Eastwood and Williams, "A framework for the quantitative evaluation of disentangled representations", ICLR 2018, section 2;
 * Locatello et al., arXiv:1811.12359.
 */
export function dci(coded: Coded): Dci {
  const { codes, factors, count } = columnsOf(coded);
  const train = trainingRows(count);
  let informativeness = 0;
  const columns = factors.map(({ levels }) => {
    const { importance, predicted } = boostedTrees(codes, levels, train);
    const right = predicted.filter((level, i) => level === levels[train + i]).length;
    informativeness += right / predicted.length / factors.length;
    return importance;
  });
  const importance = codes.map((_, k) => columns.map((column) => column[k]));
  const total = importance.flat().reduce((sum, part) => sum + part, 0);
  const weighted = (rows: readonly (readonly number[])[]) =>
    rows.reduce((sum, row) => sum + row.reduce((of, part) => of + part, 0) * concentration(row), 0) / (total || 1);
  return {
    disentanglement: weighted(importance),
    completeness: weighted(columns.map((column) => [...column])),
    informativeness,
    importance,
  };
}
