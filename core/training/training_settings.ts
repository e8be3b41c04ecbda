/**
 * How a training is told to go, whatever the model: the settings that become flags of `train` and that a checkpoint keeps.
 *
 * @module
 */

import { more } from "../by_need.ts";
import { INITIALIZERS, type Initializers } from "../graph/initializers.ts";
import { type Binarization, BINARIZATIONS, type Placement, PLACEMENTS } from "../ops/gather.ts";
import type { Optimizer } from "../graph/optimizer.ts";
import { adam, learningRate as rateOf, OPTIMIZERS } from "../optimizers/adam.ts";
import { constant, type Schedule } from "../graph/schedule.ts";
import type { Settings } from "../settings.ts";
import { TILE_CHOICES, type TileChoice } from "../products/tiles.ts";

/** Every setting of a training. */
export interface TrainingConfig {
  /** Rows of a step. */
  readonly batchSize: number;
  /** Passes over the training rows. */
  readonly epochs: number;
  /** What updates the parameters. */
  readonly optimizer: typeof OPTIMIZERS[number];
  /** The learning rate. */
  readonly learningRate: number;
  /** How it changes with the steps. */
  readonly learningRateSchedule: "constant" | "warm-up" | "decay" | "tripling" | "cosine";
  /** Steps of the warm-up, the half-life, or the cosine. */
  readonly learningRateSteps: number;
  /** What decay multiplies it by. */
  readonly learningRateFactor: number;
  /** Weight decay; 0 for none. */
  readonly weightDecay: number;
  /** Whether it is added to the step, or else to the gradient. */
  readonly decoupledWeightDecay: boolean;
  /** What the steps of biases are multiplied by. */
  readonly biasLearningRate: number;
  /** Momentum of sgd and nesterov. */
  readonly momentum: number;
  /** Of Adam: decay of the first moment. */
  readonly beta1: number;
  /** Of Adam and RMSprop: decay of the second moment. */
  readonly beta2: number;
  /** What is added to the root of the second moment; 0 for the default of the optimizer. */
  readonly epsilon: number;
  /** Largest norm of the gradient; 0 for no limit. */
  readonly clipNorm: number;
  /** Largest element of the gradient; 0 for no limit. */
  readonly clipValue: number;
  /** Batches for one update. */
  readonly accumulate: number;
  /** Of several ranks: steps from one averaging of their parameters to the next; 0: their gradients are averaged in every step. */
  readonly averageEvery: number;
  /** What an averaging takes of the way from the parameters before to their mean. */
  readonly outerLearningRate: number;
  /** Nesterov momentum of what averagings take. */
  readonly outerMomentum: number;
  /** Decay of the averaged weights; 0 for none. */
  readonly ema: number;
  /** Whether Adam corrects its moments at the start. */
  readonly biasCorrection: boolean;
  /** Whether the loss is averaged or summed over the batch. */
  readonly reduction: "mean" | "sum";
  /** How grey values become data. */
  readonly binarize: Binarization;
  /** Where the training rows lie: on the GPU, or brought to it. */
  readonly rows: Placement;
  /** Rows held out for validation. */
  readonly validation: number;
  /** Epochs without a better validation loss after which the training ends; 0 for never. */
  readonly patience: number;
  /** What initial values, batches and noise follow from. */
  readonly seed: number;
  /** What weights are drawn from at first. */
  readonly initializer: typeof INITIALIZERS[number];
  /** What biases are drawn from at first. */
  readonly biasInitializer: typeof INITIALIZERS[number];
  /** Standard deviation, or half the range, of initializers that take one. */
  readonly initializerScale: number;
  /** Tiles of matrix products. */
  readonly tiles: TileChoice;
}

/** The settings of {@linkcode TrainingConfig}. */
export const trainingSettings: Settings<TrainingConfig> = {
  batchSize: { type: "integer", default: 100, minimum: 1, maximum: 65536, help: "rows a step, N" },
  epochs: { type: "integer", default: 10, minimum: 1, maximum: 1e6, help: "passes over the training rows" },
  optimizer: { type: "choice", default: "adam", choices: OPTIMIZERS, help: "optimizer" },
  learningRate: { type: "number", default: 0.001, minimum: 0, exclusiveMinimum: true, help: "step size" },
  learningRateSchedule: {
    type: "choice",
    default: "constant",
    choices: ["constant", "warm-up", "decay", "tripling", "cosine"],
    help: "learning-rate schedule: constant, linear warm-up, decay, decay in stages of tripling length, or cosine to 0",
  },
  learningRateSteps: {
    type: "integer",
    default: 0,
    minimum: 0,
    help: "length of that schedule in steps; 0: the whole training for cosine, 1000 for the others",
  },
  learningRateFactor: {
    type: "number",
    default: 0.5,
    minimum: 0,
    exclusiveMinimum: true,
    help: "factor of each decay",
  },
  weightDecay: {
    type: "number",
    default: 0,
    minimum: 0,
    help: "weight decay: w -= rate * decay * w; 0 takes 0.01 for adamw",
  },
  decoupledWeightDecay: {
    type: "boolean",
    default: true,
    help: "add the decay to the step; or else to the gradient, before the optimizer's own rule (L2)",
  },
  biasLearningRate: {
    type: "number",
    default: 1,
    minimum: 0,
    help: "learning rate of biases, as a multiple of that of weights",
  },
  momentum: { type: "number", default: 0, minimum: 0, maximum: 1, help: "momentum of sgd and nesterov" },
  beta1: {
    type: "number",
    default: 0.9,
    minimum: 0,
    maximum: 0.999999,
    help: "adam, adamw: decay of the mean gradient",
  },
  beta2: {
    type: "number",
    default: 0.999,
    minimum: 0,
    maximum: 0.999999,
    help: "adam, adamw: decay of the mean square",
  },
  epsilon: {
    type: "number",
    default: 0,
    minimum: 0,
    help: "added to the root of the squares; 0 takes 1e-8 for adam, adamw and rmsprop, 1e-10 for adagrad",
  },
  biasCorrection: { type: "boolean", default: true, help: "adam, adamw: divide the means by 1 - beta^t" },
  clipNorm: { type: "number", default: 0, minimum: 0, help: "largest norm of the whole gradient; 0 for none" },
  clipValue: { type: "number", default: 0, minimum: 0, help: "largest absolute value of each gradient; 0 for none" },
  accumulate: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: 1e6,
    help: "batches whose gradients one update takes in",
  },
  averageEvery: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 1e6,
    help:
      "of several ranks (--parallel): steps from one averaging of their parameters to the next; 0: gradients, in every step",
  },
  outerLearningRate: {
    type: "number",
    default: 1,
    minimum: 0,
    exclusiveMinimum: true,
    help: "with --average-every: the part of the way to the mean that is taken",
  },
  outerMomentum: {
    type: "number",
    default: 0,
    minimum: 0,
    maximum: 0.999999,
    help: "with --average-every: Nesterov momentum of those ways (DiLoCo: 0.9, with an outer learning rate of 0.7)",
  },
  ema: {
    type: "number",
    default: 0,
    minimum: 0,
    maximum: 0.9999999,
    help: "decay of the moving average of the weights, which is evaluated, sampled and saved; 0 for none",
  },
  reduction: {
    type: "choice",
    default: "mean",
    choices: ["mean", "sum"],
    help: "gradient of the mean or sum over the batch",
  },
  binarize: {
    type: "choice",
    default: "dynamic",
    choices: BINARIZATIONS,
    help: "pixels as they are (the default where the likelihood is of grey values), x >= 1/2, or drawn each time anew",
  },
  rows: {
    type: "choice",
    default: "auto",
    choices: PLACEMENTS,
    help: "where the training rows lie: on the GPU, or on the host, from where they are brought step by step",
  },
  validation: { type: "integer", default: 10000, minimum: 0, help: "last training rows held out to validate on" },
  patience: {
    type: "integer",
    default: 0,
    minimum: 0,
    help: "early stopping: epochs in a row without a lower validation loss, after which the training ends; 0: never",
  },
  seed: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 0xffffffff,
    help: "seed of every random number",
  },
  initializer: { type: "choice", default: "glorot-uniform", choices: INITIALIZERS, help: "initial weights" },
  biasInitializer: { type: "choice", default: "zeros", choices: INITIALIZERS, help: "initial biases (fan-in 1)" },
  initializerScale: {
    type: "number",
    default: 0.01,
    minimum: 0,
    exclusiveMinimum: true,
    help: "standard deviation of the initializer normal",
  },
  tiles: {
    type: "choice",
    default: "auto",
    choices: TILE_CHOICES,
    help:
      "matrix kernels: panel (CPU adapters), workgroup (GPUs; or one of its tiles for all), or what suits the adapter",
  },
};

/** Steps of a training on so many rows. */
export function trainingSteps(
  { epochs, batchSize }: Pick<TrainingConfig, "epochs" | "batchSize">,
  count: number,
): number {
  return Math.ceil(epochs * count / batchSize);
}

/** Epochs that are complete after so many steps: e with {@linkcode trainingSteps} of e not above them. */
export function completedEpochs(
  step: number,
  { training: { batchSize }, data: { count } }: {
    readonly training: Pick<TrainingConfig, "batchSize">;
    readonly data: { readonly count: number };
  },
): number {
  return Math.floor(step * batchSize / count);
}

/**
 * The learning rate's schedule.
 *
 * @param length Steps of the whole training.
 */
export function learningRate(config: TrainingConfig, length: number): Schedule {
  const { learningRate: rate, learningRateFactor: factor } = config;
  const steps = config.learningRateSteps || (config.learningRateSchedule === "cosine" ? length : 1000);
  switch (config.learningRateSchedule) {
    case "constant":
      return constant(rate);
    case "warm-up":
      return { kind: "linear", from: rate / steps, to: rate, steps };
    case "decay":
      return { kind: "decay", from: rate, factor, steps };
    case "tripling":
      return { kind: "tripling", from: rate, factor, steps };
    case "cosine":
      return { kind: "cosine", from: rate, to: 0, steps };
  }
}

/** Whether it is Adam with a learning rate, and nothing else. */
function isAdam(
  { optimizer, weightDecay, biasLearningRate, clipNorm, clipValue, accumulate, ema }: TrainingConfig,
): boolean {
  return optimizer === "adam" && accumulate === 1 && biasLearningRate === 1 &&
    [weightDecay, clipNorm, clipValue, ema].every((each) => each === 0);
}

/** What must be loaded before there is the optimizer of a configuration; undefined where nothing must. */
export function missingOptimizer(config: TrainingConfig): (() => Promise<unknown>) | undefined {
  return isAdam(config) ? undefined : more.missing;
}

/**
 * The optimizer of a configuration.
 *
 * @param length Steps of the whole training.
 */
export function optimizerOf(config: TrainingConfig, length: number): Optimizer {
  const options = {
    ...config,
    learningRate: learningRate(config, length),
    betas: [config.beta1, config.beta2],
    epsilon: config.epsilon || undefined,
  } as const;
  if (isAdam(config)) return [adam(options), rateOf(options.learningRate)];
  return more.now.createOptimizer(config.optimizer, options);
}

/** The initializers of a configuration. */
export function initializersOf(
  { initializer, biasInitializer, initializerScale: scale }: TrainingConfig,
): Initializers {
  return { weight: { name: initializer, scale }, bias: { name: biasInitializer, scale } };
}

/**
 * The training settings of a model that fits itself: it sees the same pixels in every iteration, and a closed form needs no more
 * than one.
 */
export function fitSettings(training: TrainingConfig, model: string, iterations = training.epochs): TrainingConfig {
  if (training.binarize === "dynamic") {
    throw new RangeError(
      `Cannot fit "${model}" to pixels that are drawn anew each time: expected binarize none or threshold, found dynamic`,
    );
  }
  return { ...training, epochs: Math.min(training.epochs, iterations) };
}
