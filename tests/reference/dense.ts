/**
 * A dense layer with its activation, Y = f(X W + b), forward and backward, as plain loops in float64. The oracle that
 * kernels are held against; made to be read, not to be fast.
 *
 * N rows of the batch, I inputs, O outputs; X [N, I], W [I, O], b [O], Y [N, O], all row-major.
 *
 * @module
 */

/** An activation and its derivative, both as functions of the pre-activation. */
export interface Activation {
  readonly value: (x: number) => number;
  readonly derivative: (x: number) => number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** erf(x) = 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: every term has the sign of x, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** Φ(x), the standard normal distribution function. */
const normalCdf = (x: number) => 0.5 * (1 + erf(x / Math.SQRT2));
const normalDensity = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);

/** The activations by name. At a kink the derivative is PyTorch's: relu'(0) = 0, leaky_relu'(0) = 0.01, elu'(0) = 1. */
export const activations = {
  identity: { value: (x) => x, derivative: () => 1 },
  tanh: { value: Math.tanh, derivative: (x) => 1 - Math.tanh(x) ** 2 },
  relu: { value: (x) => Math.max(x, 0), derivative: (x) => x > 0 ? 1 : 0 },
  gelu: { value: (x) => x * normalCdf(x), derivative: (x) => normalCdf(x) + x * normalDensity(x) },
  softplus: { value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), derivative: sigmoid },
  sigmoid: { value: sigmoid, derivative: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  elu: { value: (x) => x > 0 ? x : Math.expm1(x), derivative: (x) => x > 0 ? 1 : Math.exp(x) },
  leaky_relu: { value: (x) => x > 0 ? x : 0.01 * x, derivative: (x) => x > 0 ? 1 : 0.01 },
  silu: { value: (x) => x * sigmoid(x), derivative: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
} as const satisfies Record<string, Activation>;

/** The name of an activation. */
export type ActivationName = keyof typeof activations;

/** N, I and O. */
export interface DenseSizes {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Y = f(A) with A = X W + b.
 *
 * @returns A, the pre-activation, which backward asks for, and Y; both [N, O].
 */
export function denseForward(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  { batch, inputs, outputs }: DenseSizes,
  activation: ActivationName,
): { preactivation: Float64Array; output: Float64Array } {
  const preactivation = new Float64Array(batch * outputs);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o];
      for (let i = 0; i < inputs; i++) sum += x[n * inputs + i] * weight[i * outputs + o];
      preactivation[n * outputs + o] = sum;
    }
  }
  return { preactivation, output: preactivation.map(activations[activation].value) };
}

/**
 * With dA = dY ⊙ f'(A): dX = dA Wᵀ, dW = Xᵀ dA, db = the sum of dA over the batch.
 *
 * @param outputGradient dL/dY [N, O].
 * @returns dL/dX [N, I], dL/dW [I, O] and dL/db [O].
 */
export function denseBackward(
  x: Float64Array,
  weight: Float64Array,
  preactivation: Float64Array,
  outputGradient: Float64Array,
  { batch, inputs, outputs }: DenseSizes,
  activation: ActivationName,
): { x: Float64Array; weight: Float64Array; bias: Float64Array } {
  const { derivative } = activations[activation];
  const gradient = {
    x: new Float64Array(x.length),
    weight: new Float64Array(weight.length),
    bias: new Float64Array(outputs),
  };
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      const delta = outputGradient[n * outputs + o] * derivative(preactivation[n * outputs + o]);
      gradient.bias[o] += delta;
      for (let i = 0; i < inputs; i++) {
        gradient.x[n * inputs + i] += delta * weight[i * outputs + o];
        gradient.weight[i * outputs + o] += delta * x[n * inputs + i];
      }
    }
  }
  return gradient;
}
