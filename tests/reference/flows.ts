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

/** What a masked layer makes of a dimension v by its s and m, and the logarithm of its derivative. */
type MaskedStep = (v: number, s: number, m: number) => readonly [y: number, log: number];

const masked = (step: MaskedStep) =>
(
  nets: readonly (readonly Weights[])[],
  z: readonly number[],
  context: readonly number[],
  activation = relu,
): Mapped => {
  let y = [...z];
  let logDeterminant = 0;
  for (const net of nets) {
    const out = network(net, [...y, ...context], activation);
    y = y.map((v, k) => {
      const [made, log] = step(v, out[k], out[y.length + k]);
      logDeterminant += log;
      return made;
    });
  }
  return { y, logDeterminant };
};

/** Masked autoregressive layers. */
export const autoregressive = masked((v, s, m) => [(v - m) * Math.exp(-bounded(s)), -bounded(s)]);

/** Inverse autoregressive layers with gates sigmoid(s + 2): arXiv:1606.04934, algorithm 1. */
export const inverseAutoregressive = masked((v, s, m) => {
  const gate = 1 / (1 + Math.exp(-(s + 2)));
  return [gate * v + (1 - gate) * m, Math.log(gate)];
});

/** Planar layers, each by u, w and b of the context: arXiv:1505.05770, equations 10 to 13 and appendix A.1. */
export function planar(layers: number, z: readonly number[], context: readonly number[]): Mapped {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const k = z.length;
  let y = [...z];
  let logDeterminant = 0;
  for (let i = 0; i < layers; i++) {
    const own = context.slice(i * (2 * k + 1), (i + 1) * (2 * k + 1));
    const [u, w, b] = [own.slice(0, k), own.slice(k, 2 * k), own[2 * k]];
    const wu = dot(w, u);
    const factor = (Math.log1p(Math.exp(wu)) - 1 - wu) / (dot(w, w) + 1e-6);
    const bent = u.map((v, j) => v + factor * w[j]);
    const h = Math.tanh(dot(w, y) + b);
    y = y.map((v, j) => v + bent[j] * h);
    logDeterminant += Math.log(1 + (1 - h * h) * dot(w, bent));
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
