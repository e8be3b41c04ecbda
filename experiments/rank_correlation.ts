/**
 * How far two lists put the same things into the same order.
 *
 * @module
 */

/**
 * Spearman's ρ: the correlation of the ranks, where equal values share the mean of theirs. 1 for the same order, -1 for the opposite one.
 *
 * Source: Spearman, The American Journal of Psychology 15(1), 1904.
 */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const [ranksA, ranksB] = [ranks(a), ranks(b)];
  const middle = (a.length - 1) / 2;
  let [both, ofA, ofB] = [0, 0, 0];
  for (const [i, rank] of ranksA.entries()) {
    const [da, db] = [rank - middle, ranksB[i] - middle];
    both += da * db;
    ofA += da * da;
    ofB += db * db;
  }
  return both / Math.sqrt(ofA * ofB);
}

/** From 0; equal values have the mean of the ranks that they take up. */
function ranks(values: readonly number[]): number[] {
  const sorted = values.toSorted((x, y) => x - y);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}
