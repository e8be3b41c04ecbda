/**
 * Mean and spread of numbers.
 *
 * @module
 */

/** Mean and standard deviation over runs that differ only in their seed. */
export interface Spread {
  readonly mean: number;
  /** sqrt(Σ (x - mean)² / (n - 1)); undefined of a single run. */
  readonly deviation?: number;
  /** n, the number of runs. */
  readonly count: number;
}

/**
 * Mean and sample standard deviation.
 *
 * @returns undefined where there is no value, or one that is not finite.
 */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const count = values.length;
  if (count === 0 || !values.every(Number.isFinite)) return undefined;
  const mean = values.reduce((sum, value) => sum + value) / count;
  if (count === 1) return { mean, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}
