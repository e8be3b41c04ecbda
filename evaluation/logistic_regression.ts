/**
 * Multinomial logistic regression in float64 on the host, to its optimum: for probes and measures, not for models.
 *
 * @module
 */

/** How {@linkcode logisticRegression} fits. */
export interface LogisticOptions {
  /** λ, of the weights; the bias is free. Default: 1. */
  readonly penalty?: number;
  /** Whether every class counts alike, as N / (C N_c) times each of its rows. Default: false. */
  readonly balanced?: boolean;
  /** The fit ends where no derivative of the mean loss is larger. Default: 1e-7. */
  readonly tolerance?: number;
  /** It ends after so many steps at the latest. Default: 1000. */
  readonly steps?: number;
}

/** A fitted classifier. */
export interface Logistic {
  /** [C, K] */
  readonly weights: Float64Array<ArrayBuffer>;
  /** [C] */
  readonly bias: Float64Array<ArrayBuffer>;
  /** log p(c | x) [N, C] of rows [N, K]. */
  logProbabilities(rows: Float32Array | Float64Array): Float64Array<ArrayBuffer>;
  /** The most probable class [N] of rows [N, K]. */
  predict(rows: Float32Array | Float64Array): Int32Array<ArrayBuffer>;
}

/**
 * min over W, b of -Σ_n w_n log softmax(W x_n + b)_{y_n} + λ/2 ‖W‖², by L-BFGS
 *
 * Source: scikit-learn's LogisticRegression (λ = 1/C); Nocedal, "Updating quasi-Newton matrices with limited storage", Mathematics of
 * Computation 35, 1980.
 *
 * @param rows [N, K]
 * @param labels [N], each from 0 to below `classes`.
 */
export function logisticRegression(
  rows: Float32Array | Float64Array,
  labels: ArrayLike<number>,
  classes: number,
  { penalty = 1, balanced = false, tolerance = 1e-7, steps = 1000 }: LogisticOptions = {},
): Logistic {
  const count = labels.length;
  const width = rows.length / count;
  const counts = new Float64Array(classes);
  for (let n = 0; n < count; n++) counts[labels[n]]++;
  const present = counts.filter((n) => n > 0).length;
  const weight = counts.map((n) => balanced && n > 0 ? count / (present * n) : 1);
  const loss = (w: Float64Array, gradient: Float64Array): number => {
    const logProbability = new Float64Array(classes);
    gradient.fill(0);
    let sum = 0;
    for (let n = 0; n < count; n++) {
      const at = n * width;
      logSoftmax(rows, at, w, logProbability);
      const label = labels[n];
      const share = weight[label];
      sum -= share * logProbability[label];
      for (let c = 0; c < classes; c++) {
        const error = share * (Math.exp(logProbability[c]) - (c === label ? 1 : 0));
        const from = c * width;
        for (let k = 0; k < width; k++) gradient[from + k] += error * rows[at + k];
        gradient[classes * width + c] += error;
      }
    }
    for (let i = 0; i < classes * width; i++) {
      sum += 0.5 * penalty * w[i] ** 2;
      gradient[i] += penalty * w[i];
    }
    return sum;
  };
  const parameters = minimize(loss, new Float64Array(classes * (width + 1)), tolerance * count, steps);
  const logProbabilities = (of: Float32Array | Float64Array) => {
    const out = new Float64Array(of.length / width * classes);
    for (let n = 0; n < of.length / width; n++) {
      logSoftmax(of, n * width, parameters, out.subarray(n * classes, (n + 1) * classes));
    }
    return out;
  };
  return {
    weights: parameters.slice(0, classes * width),
    bias: parameters.slice(classes * width),
    logProbabilities,
    predict(of) {
      const all = logProbabilities(of);
      return Int32Array.from({ length: all.length / classes }, (_, n) => {
        let best = 0;
        for (let c = 1; c < classes; c++) if (all[n * classes + c] > all[n * classes + best]) best = c;
        return best;
      });
    },
  };
}

/** log softmax(W x + b) of the row at a place, W [C, K] before b [C]. */
function logSoftmax(rows: Float32Array | Float64Array, at: number, w: Float64Array, out: Float64Array): void {
  const classes = out.length;
  const width = w.length / classes - 1;
  let largest = -Infinity;
  for (let c = 0; c < classes; c++) {
    const from = c * width;
    let sum = w[classes * width + c];
    for (let k = 0; k < width; k++) sum += w[from + k] * rows[at + k];
    out[c] = sum;
    if (sum > largest) largest = sum;
  }
  let total = 0;
  for (let c = 0; c < classes; c++) total += Math.exp(out[c] - largest);
  const norm = largest + Math.log(total);
  for (let c = 0; c < classes; c++) out[c] -= norm;
}

/** Steps whose curvature is remembered. */
const MEMORY = 10;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** The minimum of a convex function from a start on: L-BFGS, each step halved until it descends as it should (Armijo). */
function minimize(
  loss: (w: Float64Array, gradient: Float64Array) => number,
  start: Float64Array<ArrayBuffer>,
  tolerance: number,
  steps: number,
): Float64Array<ArrayBuffer> {
  let w = start;
  let gradient = new Float64Array(w.length);
  let value = loss(w, gradient);
  const memory: { readonly s: Float64Array; readonly y: Float64Array; readonly rho: number }[] = [];
  for (let step = 0; step < steps; step++) {
    if (gradient.every((g) => Math.abs(g) <= tolerance)) break;
    const direction = gradient.map((g) => -g);
    const alphas = memory.map(() => 0);
    for (let i = memory.length - 1; i >= 0; i--) {
      const { s, y, rho } = memory[i];
      alphas[i] = rho * dot(s, direction);
      for (let j = 0; j < direction.length; j++) direction[j] -= alphas[i] * y[j];
    }
    const last = memory.at(-1);
    const scale = last ? 1 / (last.rho * dot(last.y, last.y)) : 1 / Math.sqrt(dot(gradient, gradient));
    for (let j = 0; j < direction.length; j++) direction[j] *= scale;
    memory.forEach(({ s, y, rho }, i) => {
      const beta = rho * dot(y, direction);
      for (let j = 0; j < direction.length; j++) direction[j] += (alphas[i] - beta) * s[j];
    });
    const slope = dot(gradient, direction);
    const next = new Float64Array(w.length);
    const nextGradient = new Float64Array(w.length);
    let nextValue = Infinity;
    let length = 1;
    for (; length > 1e-12; length /= 2) {
      for (let j = 0; j < w.length; j++) next[j] = w[j] + length * direction[j];
      nextValue = loss(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
    }
    // Rounding leaves nothing to gain.
    if (!(nextValue < value)) break;
    const s = next.map((each, j) => each - w[j]);
    const y = nextGradient.map((each, j) => each - gradient[j]);
    const curvature = dot(s, y);
    if (curvature > 0) memory.push({ s, y, rho: 1 / curvature });
    if (memory.length > MEMORY) memory.shift();
    [w, gradient, value] = [next, nextGradient, nextValue];
  }
  return w;
}
