/**
 * A Gaussian with a covariance of a diagonal and factors as float64 loops, by the covariance itself.
 *
 * @module
 */

/** diag(e^l) + W Wᵀ of D features [D, D], W [D, R] */
export function covarianceOf(logVariance: ArrayLike<number>, factors: ArrayLike<number>): Float64Array {
  const features = logVariance.length;
  const rank = factors.length / features;
  return Float64Array.from({ length: features * features }, (_, at) => {
    const [i, j] = [Math.floor(at / features), at % features];
    let sum = i === j ? Math.exp(logVariance[i]) : 0;
    for (let r = 0; r < rank; r++) sum += factors[i * rank + r] * factors[j * rank + r];
    return sum;
  });
}

/** -log N(x; μ, Σ), nats, of the features that are observed: by elimination, which leaves the pivots of Σ and what is apart divided by them. */
export function gaussianNll(
  apart: ArrayLike<number>,
  covariance: Float64Array,
  observed: readonly boolean[],
): number {
  const features = apart.length;
  const kept = observed.flatMap((seen, d) => seen ? [d] : []);
  const a = kept.map((i) => [...kept.map((j) => covariance[i * features + j]), apart[i]]);
  let sum = kept.length * Math.log(2 * Math.PI);
  a.forEach((row, i) => {
    sum += Math.log(row[i]) + row[kept.length] ** 2 / row[i];
    for (const below of a.slice(i + 1)) {
      const factor = below[i] / row[i];
      row.forEach((value, j) => below[j] -= factor * value);
    }
  });
  return sum / 2;
}
