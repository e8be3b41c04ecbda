/**
 * The encoder and decoder that the dense models share: two stacks of layers, the decoder the mirror image of the encoder. It is no model.
 *
 * @module
 */

import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { diagonalGaussian } from "../core/distributions/gaussian.ts";
import { features } from "../core/dataset.ts";
import type { DataShape } from "../core/model.ts";
import { type Activation, ACTIVATIONS } from "../core/ops/activations.ts";
import { dense, stack, stackShapes } from "../core/ops/dense.ts";
import type { Parameters, Shapes } from "../core/parameters.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/tape.ts";
import { type LikelihoodConfig, likelihoodOf, likelihoodSettings, likelihoodShapes } from "./likelihood.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface MlpConfig extends LikelihoodConfig {
  /** Widths of the hidden layers, from the data to the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  readonly activation: Activation;
}

/** The settings of {@linkcode MlpConfig}. */
export const mlpSettings: Settings<MlpConfig> = {
  hidden: {
    type: "integers",
    default: [500],
    minimum: 1,
    maximum: 16384,
    help: "widths of the hidden layers; the decoder mirrors them",
  },
  latents: { type: "integer", default: 20, minimum: 1, maximum: 4096, help: "latent dimensions, K" },
  activation: { type: "choice", default: "tanh", choices: ACTIVATIONS, help: "activation of the hidden layers" },
  ...likelihoodSettings,
};

/** D - hidden - 2 K and K - hidden reversed - D. */
export function mlpShapes(config: MlpConfig, data: DataShape): Shapes {
  const { hidden, latents } = config;
  const width = features(data.shape);
  return {
    ...stackShapes("encoder", [width, ...hidden]),
    posterior: { inputs: hidden.at(-1) ?? width, outputs: 2 * latents },
    ...stackShapes("decoder", [latents, ...hidden.toReversed()]),
    ...likelihoodShapes(config, hidden[0] ?? latents, width),
  };
}

/** q(z | x) = N(μ(x), diag σ²(x)), both from one trunk. */
export function mlpEncode(t: Tape, p: Parameters, x: Variable, config: MlpConfig): Posterior {
  const h = stack(t, x, p, "encoder", config.hidden.length, config.activation);
  return diagonalGaussian(t, dense(t, h, p.get("posterior")));
}

/** p(x | z) */
export function mlpDecode(t: Tape, p: Parameters, z: Variable, config: MlpConfig): Likelihood {
  const h = stack(t, z, p, "decoder", config.hidden.length, config.activation);
  return likelihoodOf(t, p, config, z.rows, (name, activation) => dense(t, h, p.get(name), activation));
}
