/**
 * The optimizers. Each is a small shader that ends the kernel of a weight gradient, the slots that it keeps beside each
 * parameter, and the numbers that change from step to step.
 *
 * @module
 */

import type { Schedule } from "../graph/schedule.ts";
import adagradShader from "../../shaders/optimizers/adagrad.wgsl" with { type: "text" };
import adamShader from "../../shaders/optimizers/adam.wgsl" with { type: "text" };
import rmspropShader from "../../shaders/optimizers/rmsprop.wgsl" with { type: "text" };
import sgdShader from "../../shaders/optimizers/sgd.wgsl" with { type: "text" };

/** What ends a gradient: an update of the parameter. */
export interface Optimizer {
  readonly name: string;
  /** Gives `finish`; its first lines hold the formula and the source. */
  readonly shader: string;
  /** The matrices it keeps beside each parameter. */
  readonly slots: readonly string[];
  /** Constants of the shader. */
  readonly floats: Readonly<Record<string, number>>;
  /** The learning rate, then whatever else follows from the step. */
  readonly scalars: readonly Schedule[];
}

/** Settings that some or all optimizers take. */
export interface OptimizerOptions {
  readonly learningRate: Schedule;
  /** Decoupled: w -= lr · decay · w. */
  readonly weightDecay?: number;
  /** Adam's β1 and β2. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the squares. */
  readonly epsilon?: number;
  /** Whether Adam divides by 1 - βᵗ. */
  readonly biasCorrection?: boolean;
  readonly momentum?: number;
  /** RMSprop's decay of the mean square. */
  readonly alpha?: number;
}

/** The names of the optimizers. */
export const OPTIMIZERS = ["adam", "rmsprop", "adagrad", "sgd"] as const;

/** What an optimizer adds to the root of the squares unless it is told: PyTorch's defaults. */
const EPSILONS = { adam: 1e-8, rmsprop: 1e-8, adagrad: 1e-10, sgd: 0 };

/** An optimizer by name. Defaults: betas 0.9, 0.999; alpha 0.9; momentum 0; epsilon 1e-8 (Adam, RMSprop) or 1e-10 (Adagrad). */
export function createOptimizer(name: typeof OPTIMIZERS[number], options: OptimizerOptions): Optimizer {
  const { learningRate, weightDecay = 0, betas = [0.9, 0.999], biasCorrection = true, momentum = 0, alpha = 0.9 } =
    options;
  const EPSILON = options.epsilon ?? EPSILONS[name];
  const WEIGHT_DECAY = weightDecay;
  switch (name) {
    case "adam":
      return {
        name,
        shader: adamShader,
        slots: ["first_moment", "second_moment"],
        floats: { BETA1: betas[0], BETA2: betas[1], EPSILON, WEIGHT_DECAY },
        scalars: [
          learningRate,
          ...betas.map((beta): Schedule =>
            biasCorrection ? { kind: "correction", beta } : { kind: "constant", value: 1 }
          ),
        ],
      };
    case "rmsprop":
      return {
        name,
        shader: rmspropShader,
        slots: ["square_average"],
        floats: { ALPHA: alpha, EPSILON, WEIGHT_DECAY },
        scalars: [learningRate],
      };
    case "adagrad":
      return {
        name,
        shader: adagradShader,
        slots: ["square_sum"],
        floats: { EPSILON, WEIGHT_DECAY },
        scalars: [learningRate],
      };
    case "sgd":
      return {
        name,
        shader: sgdShader,
        slots: ["velocity"],
        floats: { MOMENTUM: momentum, WEIGHT_DECAY },
        scalars: [learningRate],
      };
  }
}
