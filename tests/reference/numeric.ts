/**
 * Derivatives by differences, and how far two arrays are apart. No analytic derivative stands here.
 *
 * @module
 */

/**
 * ∂f/∂x ≈ (f(x + h) - f(x - h)) / 2h for every element. In float64 its error is about 1e-10 where f and its third
 * derivative are about 1.
 *
 * @param f Reads `x` where it is; called twice an element.
 * @param x Changed while f runs, and put back.
 * @returns As many values as x has.
 */
export function centralDifferences(f: () => number, x: Float64Array, h = 1e-5): Float64Array {
  return Float64Array.from(x, (original, i) => {
    x[i] = original + h;
    const above = f();
    x[i] = original - h;
    const below = f();
    x[i] = original;
    return (above - below) / (2 * h);
  });
}

/** max |a - b| / max(1, |b|): absolute for small values, relative for large ones; NaN where either has one. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) {
    throw new RangeError(`Cannot compare arrays: expected ${b.length} values, found ${a.length}`);
  }
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  return largest;
}
