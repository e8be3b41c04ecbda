/**
 * The first principal components of rows, on the host: PCA of a few dimensions without the covariance of all.
 *
 * @module
 */

import { normals } from "../core/graph/random.ts";
import { eigenSymmetric, multiply, transpose } from "../core/linear_algebra.ts";
import { centred } from "./ridge_regression.ts";

/** What {@linkcode principalComponents} gives. */
export interface Components {
  /** [K, D], orthonormal rows, the largest variance first. */
  readonly vectors: Float64Array<ArrayBuffer>;
  /** The variance of the rows along each, divided by N, [K]. */
  readonly variances: Float64Array<ArrayBuffer>;
  /** Coordinates [M, K] of rows [M, D]: their distance from the mean, along each vector. */
  project(rows: Float32Array | Float64Array): Float64Array<ArrayBuffer>;
}

/** Vectors beyond those asked for, for which the iteration converges faster. */
const MORE = 10;

/** Iterations at most, and the change of the variance at which they end. */
const [MOST, ENOUGH] = [200, 1e-9];

/**
 * The K eigenvectors of the covariance with the largest eigenvalues, by iterating XᵀX on K + 10 vectors with Rayleigh and Ritz's step
 *
 * Source: Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53, 2011, section 4.5; Rutishauser,
 * "Computational aspects of F. L. Bauer's simultaneous iteration method", Numerische Mathematik 13, 1969.
 *
 * @param rows [N, D]
 * @param width D
 * @param dimensions K, at most N and D.
 */
export function principalComponents(
  rows: Float32Array | Float64Array,
  width: number,
  dimensions: number,
): Components {
  const count = rows.length / width;
  if (!(dimensions >= 1 && dimensions <= Math.min(count, width))) {
    throw new RangeError(
      `Cannot find principal components: expected 1 to ${Math.min(count, width)} of them, found ${dimensions}`,
    );
  }
  const [x, mean] = centred(rows, width);
  const size = Math.min(dimensions + MORE, count, width);
  let vectors = orthonormal(normals(new Float64Array(size * width), 0, 0, 0), width);
  let values = new Float64Array(size);
  let explained = -1;
  for (let i = 0; i < MOST; i++) {
    const image = covarianceTimes(x, vectors, width);
    const projected = multiply(vectors, transpose(image, width), width);
    const symmetric = projected.map((value, at) => (value + projected[at % size * size + Math.floor(at / size)]) / 2);
    const ritz = eigenSymmetric(symmetric, size);
    values = ritz.values;
    const before = explained;
    explained = values.subarray(0, dimensions).reduce((sum, value) => sum + value, 0);
    const last = Math.abs(explained - before) <= ENOUGH * explained || i === MOST - 1;
    vectors = last ? multiply(ritz.vectors, vectors, size) : orthonormal(multiply(ritz.vectors, image, size), width);
    if (last) break;
  }
  const kept = vectors.slice(0, dimensions * width);
  return {
    vectors: kept,
    variances: values.slice(0, dimensions),
    project(of) {
      const out = new Float64Array(of.length / width * dimensions);
      for (let n = 0; n < of.length / width; n++) {
        for (let k = 0; k < dimensions; k++) {
          let sum = 0;
          for (let d = 0; d < width; d++) sum += (of[n * width + d] - mean[d]) * kept[k * width + d];
          out[n * dimensions + k] = sum;
        }
      }
      return out;
    },
  };
}

/** V XᵀX / N of vectors V [m, D]. */
function covarianceTimes(x: Float64Array, vectors: Float64Array, width: number): Float64Array {
  const [count, size] = [x.length / width, vectors.length / width];
  const out = new Float64Array(vectors.length);
  for (let n = 0; n < count; n++) {
    const row = x.subarray(n * width, (n + 1) * width);
    for (let v = 0; v < size; v++) {
      const from = v * width;
      let along = 0;
      for (let d = 0; d < width; d++) along += row[d] * vectors[from + d];
      along /= count;
      for (let d = 0; d < width; d++) out[from + d] += along * row[d];
    }
  }
  return out;
}

/** Gram and Schmidt's vectors, twice for rounding's sake; one that depends on those before it becomes 0. */
function orthonormal(vectors: Float64Array<ArrayBuffer>, width: number): Float64Array<ArrayBuffer> {
  const size = vectors.length / width;
  const row = (v: number) => vectors.subarray(v * width, (v + 1) * width);
  const dot = (a: Float64Array, b: Float64Array) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += a[d] * b[d];
    return sum;
  };
  for (let v = 0; v < size; v++) {
    const own = row(v);
    const before = Math.sqrt(dot(own, own));
    for (let pass = 0; pass < 2; pass++) {
      for (let u = 0; u < v; u++) {
        const other = row(u);
        const along = dot(own, other);
        for (let d = 0; d < width; d++) own[d] -= along * other[d];
      }
    }
    const length = Math.sqrt(dot(own, own));
    const scale = length > 1e-12 * before ? 1 / length : 0;
    for (let d = 0; d < width; d++) own[d] *= scale;
  }
  return vectors;
}
