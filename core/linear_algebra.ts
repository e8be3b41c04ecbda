/**
 * The small dense algebra, in float64 on the host, that finishes a closed-form fit: eigenvectors of a symmetric matrix and the inverse of
 * a positive definite one. Matrices are row-major. Whatever grows with the number of rows of the data belongs on the GPU.
 *
 * @module
 */

/** Eigenvalues from the largest to the smallest, and the eigenvector of each as a row. */
export interface Eigen {
  /** [n], falling */
  readonly values: Float64Array<ArrayBuffer>;
  /** [n, n]; row i belongs to value i and has length 1. Its largest element is positive, so that the sign is no matter of chance. */
  readonly vectors: Float64Array<ArrayBuffer>;
}

/** A matrix holds a number that is not finite. */
export class NonFiniteMatrixError extends RangeError {}

/**
 * A = Vᵀ Λ V for a symmetric A: Householder's reduction to a tridiagonal matrix, then implicit QL with Wilkinson's shift. About 9 n³
 * operations, all along rows, which lie together in memory.
 *
 * Source: Golub and Van Loan, "Matrix Computations", 8.3; Bowdler, Martin, Reinsch and Wilkinson, "The QR and QL algorithms for
 * symmetric matrices", Numerische Mathematik 11, 1968.
 *
 * @param matrix A [n, n]; both triangles are read.
 * @throws {NonFiniteMatrixError} If it is not finite.
 */
export function eigenSymmetric(matrix: ArrayLike<number>, n: number): Eigen {
  const a = Float64Array.from(matrix);
  if (!a.every(Number.isFinite)) {
    throw new NonFiniteMatrixError(`Cannot find the eigenvalues of a matrix of ${n} rows: expected finite numbers`);
  }
  const { vectors, offDiagonal } = tridiagonalize(a, n);
  const diagonal = Float64Array.from({ length: n }, (_, i) => a[i * n + i]);
  diagonalize(diagonal, offDiagonal, vectors, n);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j] - diagonal[i] || i - j);
  const sorted = new Float64Array(n * n);
  order.forEach((from, to) => {
    const row = vectors.subarray(from * n, (from + 1) * n);
    const largest = row.reduce((best, value) => Math.abs(value) > Math.abs(best) ? value : best, 0);
    const sign = largest < 0 ? -1 : 1;
    for (let j = 0; j < n; j++) sorted[to * n + j] = sign * row[j];
  });
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors: sorted };
}

/** Leaves T = Q Aᵀ Qᵀ on the diagonal of `a`; gives its off-diagonal and the rows of Q. */
function tridiagonalize(a: Float64Array, n: number): { vectors: Float64Array; offDiagonal: Float64Array } {
  const offDiagonal = new Float64Array(n);
  const reflectors: { readonly v: Float64Array; readonly beta: number }[] = [];
  for (let k = 0; k + 2 < n; k++) {
    const size = n - k - 1;
    const v = a.slice(k * n + k + 1, (k + 1) * n);
    let tail = 0;
    for (let i = 1; i < size; i++) tail += v[i] * v[i];
    if (tail === 0) {
      offDiagonal[k] = v[0];
      reflectors.push({ v, beta: 0 });
      continue;
    }
    const norm = Math.sqrt(v[0] * v[0] + tail);
    const alpha = v[0] > 0 ? -norm : norm;
    offDiagonal[k] = alpha;
    v[0] -= alpha;
    const beta = 2 / (v[0] * v[0] + tail);
    reflectors.push({ v, beta });
    // A -= v wᵀ + w vᵀ with w = β A v - ½ β² (vᵀ A v) v
    const w = new Float64Array(size);
    let vw = 0;
    for (let i = 0; i < size; i++) {
      const row = a.subarray((k + 1 + i) * n + k + 1, (k + 2 + i) * n);
      let sum = 0;
      for (let j = 0; j < size; j++) sum += row[j] * v[j];
      w[i] = beta * sum;
      vw += w[i] * v[i];
    }
    for (let i = 0; i < size; i++) w[i] -= 0.5 * beta * vw * v[i];
    for (let i = 0; i < size; i++) {
      const row = a.subarray((k + 1 + i) * n + k + 1, (k + 2 + i) * n);
      const [vi, wi] = [v[i], w[i]];
      for (let j = 0; j < size; j++) row[j] -= vi * w[j] + wi * v[j];
    }
  }
  if (n > 1) offDiagonal[n - 2] = a[(n - 2) * n + n - 1];
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const { v, beta } = reflectors[k];
    for (let i = k + 1; i < n; i++) {
      const row = vectors.subarray(i * n + k + 1, (i + 1) * n);
      let sum = 0;
      for (let j = 0; j < v.length; j++) sum += row[j] * v[j];
      sum *= beta;
      for (let j = 0; j < v.length; j++) row[j] -= sum * v[j];
    }
  }
  return { vectors, offDiagonal };
}

/** Turns the tridiagonal matrix (d, e) into its eigenvalues d, and the rows of `vectors` with it. */
function diagonalize(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number): void {
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]) + Math.abs(e[i]));
  for (let l = 0; l < n; l++) {
    for (let sweep = 0;; sweep++) {
      let m = l;
      while (m + 1 < n && Math.abs(e[m]) > 2 ** -52 * norm) m++;
      if (m === l) break;
      if (sweep === 100) {
        throw new RangeError(`Cannot find the eigenvalues of a matrix of ${n} rows: expected fewer than 100 sweeps`);
      }
      const half = (d[l + 1] - d[l]) / (2 * e[l]);
      let g = d[m] - d[l] + e[l] / (half + Math.sign(half || 1) * Math.hypot(half, 1));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        const t = (d[i] - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
        rotate(vectors.subarray(i * n, (i + 1) * n), vectors.subarray((i + 1) * n, (i + 2) * n), c, s);
      }
      if (i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

function rotate(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let j = 0; j < x.length; j++) {
    const [a, b] = [x[j], y[j]];
    x[j] = c * a - s * b;
    y[j] = s * a + c * b;
  }
}

/**
 * The lower triangular L with A = L Lᵀ, of a symmetric positive definite A [n, n].
 *
 * @throws {RangeError} If A is not positive definite.
 */
export function cholesky(matrix: ArrayLike<number>, n: number): Float64Array<ArrayBuffer> {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i === j && !(sum > 0)) {
        throw new RangeError(
          `Cannot factor a matrix of ${n} rows: expected it positive definite, found pivot ${sum} in row ${i}`,
        );
      }
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j];
    }
  }
  return l;
}

/**
 * x with L Lᵀ x = b, by forward and backward substitution.
 *
 * @param l L [n, n], as {@linkcode cholesky} gives it.
 * @param b [n]
 */
export function solveTriangular(l: Float64Array, b: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const n = b.length;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i * n + k] * x[k];
    x[i] = sum / l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i];
    for (let k = i + 1; k < n; k++) sum -= l[k * n + i] * x[k];
    x[i] = sum / l[i * n + i];
  }
  return x;
}

/**
 * A⁻¹ of a symmetric positive definite A [n, n], by Cholesky's factor.
 *
 * @throws {RangeError} If A is not positive definite.
 */
export function invertPositive(matrix: ArrayLike<number>, n: number): Float64Array<ArrayBuffer> {
  const l = cholesky(matrix, n);
  const inverse = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n);
    unit[column] = 1;
    const x = solveTriangular(l, unit);
    for (let i = 0; i < n; i++) inverse[i * n + column] = x[i];
  }
  return inverse;
}

/** C = A B of row-major A [m, k] and B [k, n]. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>, k: number): Float64Array<ArrayBuffer> {
  const [m, n] = [a.length / k, b.length / k];
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const factor = a[i * k + p];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[p * n + j];
    }
  }
  return c;
}

/** Aᵀ [n, m] of row-major A [m, n]. */
export function transpose(a: ArrayLike<number>, n: number): Float64Array<ArrayBuffer> {
  const m = a.length / n;
  const t = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) t[j * m + i] = a[i * n + j];
  return t;
}
