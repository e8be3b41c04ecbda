/**
 * Adam with its learning rate, which a training has where nobody asks for another optimizer.
 *
 * @module
 */

import type { Rule } from "../graph/optimizer.ts";
import { constant, type Schedule } from "../graph/schedule.ts";
import adamShader from "../../shaders/optimizers/adam.wgsl" with { type: "text" };
import learningRateShader from "../../shaders/optimizers/learning_rate.wgsl" with { type: "text" };

/** The names of the optimizers. */
export const OPTIMIZERS = ["adam", "adamw", "rmsprop", "adagrad", "sgd", "nesterov"] as const;

/** Settings of {@linkcode adam}. */
export interface AdamOptions {
  /** β1 and β2. Default 0.9 and 0.999. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Whether the means are divided by 1 - βᵗ. Default true. */
  readonly biasCorrection?: boolean;
}

/**
 * m = β1 m + (1 - β1) g, v = β2 v + (1 - β2) g²; step = m / (1 - β1ᵗ) / (√(v / (1 - β2ᵗ)) + ε)
 *
 * Source: Kingma and Ba, arXiv:1412.6980.
 */
export function adam({ betas = [0.9, 0.999], epsilon = 1e-8, biasCorrection = true }: AdamOptions = {}): Rule {
  return {
    kind: "rule",
    name: "adam",
    shader: adamShader,
    slots: ["first_moment", "second_moment"],
    floats: { BETA1: betas[0], BETA2: betas[1], EPSILON: epsilon },
    scalars: betas.map((beta): Schedule => biasCorrection ? { kind: "correction", beta } : constant(1)),
  };
}

/** step · η */
export function learningRate(schedule: Schedule): Rule {
  return { kind: "rule", name: "learningRate", shader: learningRateShader, scalars: [schedule] };
}

/** The slot of the averages. While a model is trained it holds them, and the weights that go on being trained while it rests. */
export const AVERAGE_SLOT = "weights";
