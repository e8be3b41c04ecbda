/**
 * The encoder and decoder that the dense models share: two stacks of layers, the decoder the mirror image of the encoder. It is no model.
 *
 * @module
 */

import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import { features } from "../core/dataset.ts";
import type { DataShape } from "../core/model.ts";
import { type Activation, ACTIVATIONS } from "../core/ops/activations.ts";
import { concat } from "../core/ops/concat.ts";
import { dense, stack, stackShapes } from "../core/ops/dense.ts";
import { type Covariance, COVARIANCES, statisticsColumns } from "../core/ops/reparameterize.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { type LikelihoodConfig, likelihoodOf, likelihoodSettings, likelihoodShapes } from "./likelihood.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface MlpConfig extends LikelihoodConfig {
  /** Widths of the hidden layers, from the data to the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  readonly activation: Activation;
  /** 1: mean and log-variance from one trunk; 2: each from a tower of its own. */
  readonly towers: number;
  /** Of q(z | x); full: Σ = L Lᵀ. */
  readonly covariance: Covariance;
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
  towers: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: 2,
    help: "1: mean and log-variance from one trunk; 2: from a tower each",
  },
  covariance: {
    type: "choice",
    default: "diagonal",
    choices: COVARIANCES,
    help: "of the posterior; full: by a Cholesky factor",
  },
  ...likelihoodSettings,
};

/** The names of the encoder's stacks, each with what its last layer gives. */
function towersOf({ towers, latents, covariance }: MlpConfig): readonly (readonly [name: string, outputs: number])[] {
  const columns = statisticsColumns(latents, covariance);
  return towers === 1
    ? [["encoder", columns]]
    : [["encoder.mean", latents], ["encoder.logVariance", columns - latents]];
}

/**
 * D + C - hidden - 2 K and K + C - hidden reversed - D
 *
 * @param condition C, columns joined to x and to z.
 */
export function mlpShapes(config: MlpConfig, data: DataShape, condition = 0): Shapes {
  const { hidden, latents } = config;
  const width = features(data.shape);
  return {
    ...Object.assign(
      {},
      ...towersOf(config).map(([name, outputs]) => ({
        ...stackShapes(name, [width + condition, ...hidden]),
        [`${name}.posterior`]: { inputs: hidden.at(-1) ?? width + condition, outputs },
      })),
    ),
    ...stackShapes("decoder", [latents + condition, ...hidden.toReversed()]),
    ...likelihoodShapes(config, hidden[0] ?? latents + condition, width),
  };
}

/** q(z | x) = N(μ(x), Σ(x)); with a condition, of x joined with it. */
export function mlpEncode(t: Tape, p: Parameters, x: Variable, config: MlpConfig, condition?: Variable): Posterior {
  const input = condition ? concat(t, [x, condition]) : x;
  const heads = towersOf(config).map(([name]) => {
    const h = stack(t, input, p, name, config.hidden.length, config.activation);
    return dense(t, h, p.get(`${name}.posterior`));
  });
  return gaussianPosterior(t, heads.length === 1 ? heads[0] : concat(t, heads), config.covariance);
}

/** p(x | z); with a condition, of z joined with it. */
export function mlpDecode(t: Tape, p: Parameters, z: Variable, config: MlpConfig, condition?: Variable): Likelihood {
  const input = condition ? concat(t, [z, condition]) : z;
  const h = stack(t, input, p, "decoder", config.hidden.length, config.activation);
  const size = [z.rows, p.get("likelihood").shape.outputs] as const;
  return likelihoodOf(t, p, config, size, (name, activation) => dense(t, h, p.get(name), activation));
}
