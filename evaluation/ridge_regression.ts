/**
 * Ridge regression in float64 on the host.
 *
 * @module
 */

import { cholesky, solveTriangular, transpose } from "../core/linear_algebra.ts";

/** A fitted linear map. */
export interface Ridge {
  /** [D, T] */
  readonly weights: Float64Array<ArrayBuffer>;
  /** [T] */
  readonly bias: Float64Array<ArrayBuffer>;
  /** W x + b [N, T] of rows [N, D]. */
  predict(rows: Float32Array | Float64Array): Float64Array<ArrayBuffer>;
}

/**
 * W = (XᵀX + λI)⁻¹ XᵀY of centred rows and targets, or the same as Xᵀ (XXᵀ + λI)⁻¹ Y where there are fewer rows than features
 *
 * Source: Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970; scikit-learn's Ridge.
 *
 * @param rows X [N, D]
 * @param targets Y [N, T]
 * @param count N
 * @param penalty λ
 */
export function ridgeRegression(
  rows: Float32Array | Float64Array,
  targets: Float32Array | Float64Array,
  count: number,
  penalty = 1,
): Ridge {
  const [width, outputs] = [rows.length / count, targets.length / count];
  const [x, meanX] = centred(rows, width);
  const [y, meanY] = centred(targets, outputs);
  const weights = new Float64Array(width * outputs);
  const primal = width <= count;
  // Dot products run along what lies together: columns of X in the primal, rows in the dual.
  const lines = primal ? transpose(x, width) : x;
  const [size, length] = primal ? [width, count] : [count, width];
  const system = gram(lines, length);
  for (let i = 0; i < size; i++) system[i * size + i] += penalty;
  const factor = cholesky(system, size);
  for (let t = 0; t < outputs; t++) {
    const right = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      if (primal) { for (let n = 0; n < count; n++) right[i] += lines[i * length + n] * y[n * outputs + t]; }
      else right[i] = y[i * outputs + t];
    }
    const solved = solveTriangular(factor, right);
    for (let i = 0; i < size; i++) {
      if (primal) weights[i * outputs + t] = solved[i];
      else for (let d = 0; d < width; d++) weights[d * outputs + t] += lines[i * length + d] * solved[i];
    }
  }
  const bias = meanY.slice();
  for (let d = 0; d < width; d++) for (let t = 0; t < outputs; t++) bias[t] -= meanX[d] * weights[d * outputs + t];
  return {
    weights,
    bias,
    predict(of) {
      const out = new Float64Array(of.length / width * outputs);
      for (let n = 0; n < of.length / width; n++) {
        for (let t = 0; t < outputs; t++) out[n * outputs + t] = bias[t];
        for (let d = 0; d < width; d++) {
          const value = of[n * width + d];
          for (let t = 0; t < outputs; t++) out[n * outputs + t] += value * weights[d * outputs + t];
        }
      }
      return out;
    },
  };
}

/** Rows less their mean, and the mean. */
export function centred(
  rows: Float32Array | Float64Array,
  width: number,
): readonly [rows: Float64Array<ArrayBuffer>, mean: Float64Array<ArrayBuffer>] {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i];
  for (let d = 0; d < width; d++) mean[d] *= width / rows.length;
  return [Float64Array.from(rows, (value, i) => value - mean[i % width]), mean];
}

/** A Aᵀ [m, m] of A [m, length]. */
function gram(a: Float64Array, length: number): Float64Array {
  const size = a.length / length;
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    // Four at a time: each number of row i is read once for four products.
    for (let j = 0; j <= i; j += 4) {
      const [p, q, r, s] = [j, Math.min(j + 1, i), Math.min(j + 2, i), Math.min(j + 3, i)].map((row) => row * length);
      let [w, x, y, z] = [0, 0, 0, 0];
      for (let k = 0, from = i * length; k < length; k++) {
        const value = a[from + k];
        w += value * a[p + k];
        x += value * a[q + k];
        y += value * a[r + k];
        z += value * a[s + k];
      }
      [w, x, y, z].forEach((value, offset) => {
        const column = Math.min(j + offset, i);
        out[i * size + column] = out[column * size + i] = value;
      });
    }
  }
  return out;
}
