/**
 * The optimizers: lists of rules and transforms. Each rule is a small shader with the matrices that it keeps beside each parameter and the
 * numbers that change from step to step; where the list needs no more than one value of the gradient at a time, it ends the kernel of each
 * weight gradient.
 *
 * ```ts ignore
 * const optimizer = [clipNorm(1), adam(), weightDecay(0.01), learningRate(constant(1e-3)), averageWeights(0.999)];
 * ```
 *
 * @module
 */

import type { Accumulation, NormLimit, Optimizer, Rule } from "../graph/optimizer.ts";
import type { Schedule } from "../graph/schedule.ts";
import { accumulating, recordNorm } from "./transforms.ts";
import { adam, type AdamOptions, AVERAGE_SLOT, learningRate, OPTIMIZERS } from "./adam.ts";
import adagradShader from "../../shaders/optimizers/adagrad.wgsl" with { type: "text" };
import averageShader from "../../shaders/optimizers/average.wgsl" with { type: "text" };
import biasRateShader from "../../shaders/optimizers/bias_rate.wgsl" with { type: "text" };
import clipValueShader from "../../shaders/optimizers/clip_value.wgsl" with { type: "text" };
import momentumShader from "../../shaders/optimizers/momentum.wgsl" with { type: "text" };
import nesterovShader from "../../shaders/optimizers/nesterov.wgsl" with { type: "text" };
import rmspropShader from "../../shaders/optimizers/rmsprop.wgsl" with { type: "text" };
import weightDecayShader from "../../shaders/optimizers/weight_decay.wgsl" with { type: "text" };

/** v = α v + (1 - α) g²; step = g / (√v + ε). Source: Tieleman and Hinton, lecture 6.5, 2012. */
export function rmsprop({ alpha = 0.9, epsilon = 1e-8 }: { alpha?: number; epsilon?: number } = {}): Rule {
  const floats = { ALPHA: alpha, EPSILON: epsilon };
  return { kind: "rule", name: "rmsprop", shader: rmspropShader, slots: ["square_average"], floats };
}

/** s = s + g²; step = g / (√s + ε). Source: Duchi, Hazan and Singer, JMLR 12, 2011. */
export function adagrad({ epsilon = 1e-10 }: { epsilon?: number } = {}): Rule {
  return {
    kind: "rule",
    name: "adagrad",
    shader: adagradShader,
    slots: ["square_sum"],
    floats: { EPSILON: epsilon },
  };
}

/** v = μ v + g; step = v, or g + μ v with Nesterov's. Source: Sutskever et al., ICML 2013, in PyTorch's form. */
export function momentum(factor: number, { nesterov = false }: { nesterov?: boolean } = {}): Rule {
  return {
    kind: "rule",
    name: nesterov ? "nesterov" : "momentum",
    shader: nesterov ? nesterovShader : momentumShader,
    slots: ["velocity"],
    floats: { MOMENTUM: factor },
  };
}

/**
 * step + λ w: decoupled after the optimizer's own rule, where only the learning rate follows; before that rule it is the gradient of
 * λ/2 ‖w‖². Source: Loshchilov and Hutter, arXiv:1711.05101.
 */
export function weightDecay(decay: number): Rule {
  return { kind: "rule", name: "weightDecay", shader: weightDecayShader, floats: { WEIGHT_DECAY: decay } };
}

/** Biases take steps so many times as long as weights. Source: MatConvNet's and Caffe's examples, with a factor of 2. */
export function biasRate(factor: number): Rule {
  return { kind: "rule", name: "biasRate", shader: biasRateShader, floats: { BIAS_FACTOR: factor } };
}

/** Each value of the gradient, held between -limit and limit. */
export function clipValue(limit: number): Rule {
  return { kind: "rule", name: "clipValue", shader: clipValueShader, floats: { LIMIT: limit } };
}

/** g · min(1, maximum / ‖g‖), ‖g‖ over all parameters of the group. Source: Pascanu et al., arXiv:1211.5063. */
export function clipNorm(maximum: number): NormLimit {
  return {
    ...{ kind: "norm", name: "clipNorm", maximum },
    record: (t, group, gradients) => recordNorm(t, group, maximum, gradients),
  };
}

/** One update for the gradients of so many steps. */
export function accumulateGradients(batches: number): Accumulation {
  return {
    ...{ kind: "accumulation", name: "accumulateGradients", batches },
    add: (t, parameter, lowered) => accumulating(t, parameter, batches, lowered),
  };
}

/**
 * a = a + (1 - d) / (1 - dᵗ) (w - a), the mean of the weights after each update, weighted by d to the power of their age; what is
 * evaluated, sampled and saved as the model's weights. Source: Polyak and Juditsky, SIAM J. Control Optim. 30, 1992.
 */
export function averageWeights(decay: number): Rule {
  return {
    kind: "after",
    name: "averageWeights",
    shader: averageShader,
    slots: [AVERAGE_SLOT],
    floats: { SHARE: 1 - decay },
    scalars: [{ kind: "correction", beta: decay }],
  };
}

export { adam, type AdamOptions, AVERAGE_SLOT, learningRate, OPTIMIZERS };

/** Settings that some or all optimizers take. */
export interface OptimizerOptions extends AdamOptions {
  /** The learning rate at each step. */
  readonly learningRate: Schedule;
  /** λ: w -= lr · λ · w. Default 0, and 0.01 for AdamW. */
  readonly weightDecay?: number;
  /** Whether λ w is added to the step, or else to the gradient before the optimizer's own rule (L2). Default true. */
  readonly decoupledWeightDecay?: boolean;
  /** What the steps of biases are multiplied by. Default 1. */
  readonly biasLearningRate?: number;
  /** Of sgd and nesterov. Default 0. */
  readonly momentum?: number;
  /** RMSprop's decay of the mean square. Default 0.9. */
  readonly alpha?: number;
  /** The largest absolute value of a gradient; 0 for none. */
  readonly clipValue?: number;
  /** The largest norm of all gradients together; 0 for none. */
  readonly clipNorm?: number;
  /** Steps whose gradients one update takes in. Default 1. */
  readonly accumulate?: number;
  /** Decay of the averages of the weights; 0 for none. */
  readonly ema?: number;
}

/** AdamW's decay where none is given: PyTorch's. */
const ADAMW_DECAY = 0.01;

/**
 * An optimizer by name: gradients are accumulated, clipped by norm, then by value; then come the rule, the decay (or the decay, the
 * rule), the factor of biases, the learning rate.
 */
export function createOptimizer(name: typeof OPTIMIZERS[number], options: OptimizerOptions): Optimizer {
  if (name === "nesterov" && !options.momentum) {
    throw new RangeError("Cannot create the optimizer nesterov: expected a momentum above 0, found 0");
  }
  const { accumulate = 1, clipNorm: norm = 0, clipValue: limit = 0, ema = 0, momentum: factor = 0 } = options;
  const rules: Readonly<Record<typeof name, () => Rule>> = {
    adam: () => adam(options),
    adamw: () => adam(options),
    rmsprop: () => rmsprop(options),
    adagrad: () => adagrad(options),
    sgd: () => momentum(factor),
    nesterov: () => momentum(factor, { nesterov: true }),
  };
  const { decoupledWeightDecay: decoupled = true, biasLearningRate: ofBiases = 1 } = options;
  if (name === "adamw" && !decoupled) {
    throw new RangeError("Cannot create the optimizer adamw with a coupled weight decay: that is adam");
  }
  const lambda = options.weightDecay || (name === "adamw" ? ADAMW_DECAY : 0);
  const decay = lambda > 0 ? [weightDecay(lambda)] : [];
  return [
    ...accumulate > 1 ? [accumulateGradients(accumulate)] : [],
    ...norm > 0 ? [clipNorm(norm)] : [],
    ...limit > 0 ? [clipValue(limit)] : [],
    ...decoupled ? [] : decay,
    rules[name](),
    ...decoupled ? decay : [],
    ...ofBiases === 1 ? [] : [biasRate(ofBiases)],
    learningRate(options.learningRate),
    ...ema > 0 ? [averageWeights(ema)] : [],
  ];
}
