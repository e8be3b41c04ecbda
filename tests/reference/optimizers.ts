/**
 * One step of each optimizer, in float64. Every function changes `weight` and its moments in place; moments start at 0.
 * `epsilon` stands outside the square root, as in PyTorch.
 *
 * w: weight, g: gradient, η: learning rate.
 *
 * @module
 */

/** First and second moments of Adam. */
export interface AdamState {
  readonly m: Float64Array;
  readonly v: Float64Array;
}

/** Hyper-parameters of {@linkcode adamStep}. */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** False leaves m and v as they are: smaller steps of m, and of √v, at the start. */
  readonly biasCorrection: boolean;
}

/**
 * m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; w ← w - η m̂ / (√v̂ + ε), with m̂ = m / (1 - β₁ᵗ) and
 * v̂ = v / (1 - β₂ᵗ), or m and v themselves without bias correction. Kingma, Ba, https://arxiv.org/abs/1412.6980.
 *
 * @param step t, from 1.
 */
export function adamStep(
  weight: Float64Array,
  gradient: Float64Array,
  { m, v }: AdamState,
  step: number,
  { learningRate, beta1, beta2, epsilon, biasCorrection }: AdamSettings,
): void {
  const correction1 = biasCorrection ? 1 - beta1 ** step : 1;
  const correction2 = biasCorrection ? 1 - beta2 ** step : 1;
  for (let i = 0; i < weight.length; i++) {
    m[i] = beta1 * m[i] + (1 - beta1) * gradient[i];
    v[i] = beta2 * v[i] + (1 - beta2) * gradient[i] ** 2;
    weight[i] -= learningRate * (m[i] / correction1) / (Math.sqrt(v[i] / correction2) + epsilon);
  }
}

/** v ← α v + (1 - α) g²; w ← w - η g / (√v + ε). Tieleman, Hinton, Coursera lecture 6.5 (2012). */
export function rmspropStep(
  weight: Float64Array,
  gradient: Float64Array,
  { v }: { readonly v: Float64Array },
  { learningRate, alpha, epsilon }: {
    readonly learningRate: number;
    readonly alpha: number;
    readonly epsilon: number;
  },
): void {
  for (let i = 0; i < weight.length; i++) {
    v[i] = alpha * v[i] + (1 - alpha) * gradient[i] ** 2;
    weight[i] -= learningRate * gradient[i] / (Math.sqrt(v[i]) + epsilon);
  }
}

/** v ← v + g²; w ← w - η g / (√v + ε). Duchi, Hazan, Singer, JMLR 12 (2011). */
export function adagradStep(
  weight: Float64Array,
  gradient: Float64Array,
  { v }: { readonly v: Float64Array },
  { learningRate, epsilon }: { readonly learningRate: number; readonly epsilon: number },
): void {
  for (let i = 0; i < weight.length; i++) {
    v[i] += gradient[i] ** 2;
    weight[i] -= learningRate * gradient[i] / (Math.sqrt(v[i]) + epsilon);
  }
}

/** u ← μ u + g; w ← w - η u, or w - η (g + μ u) with Nesterov's momentum. */
export function sgdStep(
  weight: Float64Array,
  gradient: Float64Array,
  { u }: { readonly u: Float64Array },
  { learningRate, momentum, nesterov = false }: {
    readonly learningRate: number;
    readonly momentum: number;
    readonly nesterov?: boolean;
  },
): void {
  for (let i = 0; i < weight.length; i++) {
    u[i] = momentum * u[i] + gradient[i];
    weight[i] -= learningRate * (nesterov ? gradient[i] + momentum * u[i] : u[i]);
  }
}

/** w ← w - η λ w, before any of the steps above. Loshchilov, Hutter, https://arxiv.org/abs/1711.05101. */
export function decayStep(weight: Float64Array, learningRate: number, decay: number): void {
  for (let i = 0; i < weight.length; i++) weight[i] -= learningRate * decay * weight[i];
}
