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

/** step + λ w: decoupled where the learning rate follows. Source: Loshchilov and Hutter, arXiv:1711.05101. */
export function weightDecay(decay: number): Rule {
  return { kind: "rule", name: "weightDecay", shader: weightDecayShader, floats: { WEIGHT_DECAY: decay } };
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
  /** Decoupled: w -= lr · decay · w. Default 0, and 0.01 for AdamW. */
  readonly weightDecay?: number;
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

/** An optimizer by name: gradients are accumulated, clipped by norm, then by value, then the rule, the decay, the learning rate. */
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
  const decay = options.weightDecay || (name === "adamw" ? ADAMW_DECAY : 0);
  return [
    ...accumulate > 1 ? [accumulateGradients(accumulate)] : [],
    ...norm > 0 ? [clipNorm(norm)] : [],
    ...limit > 0 ? [clipValue(limit)] : [],
    rules[name](),
    ...decay > 0 ? [weightDecay(decay)] : [],
    learningRate(options.learningRate),
    ...ema > 0 ? [averageWeights(ema)] : [],
  ];
}
