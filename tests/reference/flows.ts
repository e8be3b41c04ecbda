/**
 * Normalizing flows of one row as plain loops in float64, from the weights of their networks: affine coupling (arXiv:1605.08803, equations
 * 4 to 8) and masked autoregressive layers (arXiv:1705.07057, equations 4 and 5), with log-scales 3 tanh(s / 3).
 *
 * @module
 */

/** W [inputs, outputs], row-major, and b. */
export interface Weights {
  readonly weight: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
}

const relu = (v: number) => Math.max(0, v);

/** A network of dense layers, an activation between them. */
export function network(layers: readonly Weights[], x: readonly number[], activation = relu): number[] {
  return layers.reduce((h, { weight, bias }, i) => {
    const outputs = bias.length;
    const y = Array.from(
      { length: outputs },
      (_, o) => h.reduce((sum, v, j) => sum + v * weight[j * outputs + o], bias[o]),
    );
    return i < layers.length - 1 ? y.map(activation) : y;
  }, [...x]);
}

const bounded = (s: number) => 3 * Math.tanh(s / 3);

/** f(z) and log |det ∂f/∂z|. */
export interface Mapped {
  readonly y: number[];
  readonly logDeterminant: number;
}

/** Affine coupling: layer i changes the half (i + 1) mod 2 by the other, the first half being the longer one. */
export function coupling(
  nets: readonly (readonly Weights[])[],
  z: readonly number[],
  context: readonly number[],
  activation = relu,
): Mapped {
  const first = Math.ceil(z.length / 2);
  const halves = [z.slice(0, first), z.slice(first)];
  let logDeterminant = 0;
  nets.forEach((net, i) => {
    const changed = (i + 1) % 2;
    const out = network(net, [...halves[i % 2], ...context], activation);
    const width = halves[changed].length;
    halves[changed] = halves[changed].map((v, k) => {
      logDeterminant += bounded(out[k]);
      return v * Math.exp(bounded(out[k])) + out[width + k];
    });
  });
  return { y: halves.flat(), logDeterminant };
}

/** Masked autoregressive layers. */
export function autoregressive(
  nets: readonly (readonly Weights[])[],
  z: readonly number[],
  context: readonly number[],
  activation = relu,
): Mapped {
  let y = [...z];
  let logDeterminant = 0;
  for (const net of nets) {
    const out = network(net, [...y, ...context], activation);
    y = y.map((v, k) => (v - out[y.length + k]) * Math.exp(-bounded(out[k])));
    for (let k = 0; k < y.length; k++) logDeterminant -= bounded(out[k]);
  }
  return { y, logDeterminant };
}

/** log |det A|, A [n, n], by Gaussian elimination with pivots. */
export function logDeterminantOf(a: number[][]): number {
  const rows = a.map((row) => [...row]);
  let log = 0;
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows.slice(i).reduce((best, row, j) => Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + j : best, i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    log += Math.log(Math.abs(rows[i][i]));
    for (let j = i + 1; j < rows.length; j++) {
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k < rows.length; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  return log;
}
