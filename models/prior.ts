/**
 * The priors that a VAE can be composed with: what each needs for parameters, how it is recorded, and how it starts. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import { mixturePrior, type Prior } from "../core/distributions/prior.ts";
import type { DataShape, StartContext } from "../core/model.ts";
import { parameterMatrix } from "../core/ops/parameter_matrix.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { normals, uniforms } from "../core/graph/random.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { type LikelihoodConfig, likelihoodSupport } from "./likelihood.ts";

/** What p(z) is. */
export interface PriorConfig {
  /** N(0, I), or the name of a {@linkcode PriorPart}. */
  readonly prior: string;
  /** C, components of a mixture, or pseudo-inputs. */
  readonly components: number;
}

/** What a learned prior is of. */
export interface LearnedConfig extends PriorConfig, LikelihoodConfig {
  readonly latents: number;
}

/** A prior to compose a VAE with. */
export interface PriorPart {
  /** In a few words, for `--help`. */
  readonly summary: string;
  /** The shapes of its parameters, whose names begin with "prior.". */
  shapes(config: LearnedConfig, data: DataShape): Shapes;
  /**
   * Records p(z).
   *
   * @param encode Records q(z | u) of the model, without a condition.
   */
  record(t: Tape, p: Parameters, config: LearnedConfig, encode: (u: Variable) => Posterior): Prior;
  /** Sets its parameters before the first step, where drawing them like weights is no good start. */
  start?(context: StartContext, config: LearnedConfig): Promise<void> | void;
  /** Settings that it has no meaning with, each with the value that it is refused at and why. */
  readonly refused?: readonly (readonly [setting: string, value: string | RegExp, why: string])[];
}

function setPrior({ parameters }: StartContext, name: string, weight: Float32Array): void {
  const parameter = parameters.get(name);
  parameter.set(parameter.tensor, weight, new Float32Array(parameter.shape.outputs));
}

const MIXTURE = "prior.components";

/** p(z) = Σ_c π_c N(z; μ_c, diag σ_c²), all learned. It starts with means from N(0, I), variances of 1 and equal weights. */
const mixture: PriorPart = {
  summary: "a learned mixture of Gaussians",
  shapes: ({ components, latents }) => ({ [MIXTURE]: { inputs: components, outputs: 2 * latents + 1 } }),
  record: (t, p) => mixturePrior(t, parameterMatrix(t, p.get(MIXTURE))),
  start(context, { components, latents }) {
    const columns = 2 * latents + 1;
    const means = normals(new Float32Array(components * latents), context.seed, 0, 1);
    const weight = new Float32Array(components * columns);
    means.forEach((mean, i) => weight[Math.floor(i / latents) * columns + i % latents] = mean);
    setPrior(context, MIXTURE, weight);
  },
};

const PSEUDO_INPUTS = "prior.inputs";

/** What pseudo-inputs pass through, to be like data. */
const activationOf = (config: LearnedConfig) => likelihoodSupport(config) === "density" ? "identity" : "sigmoid";

/**
 * p(z) = (1/C) Σ_c q(z | u_c) over learned pseudo-inputs u_c, which start as rows of the data. Source: Tomczak and Welling, "VAE with a
 * VampPrior", arXiv:1705.07120, equation 9.
 */
const vamp: PriorPart = {
  summary: "the mean of q(z | u) over learned pseudo-inputs u (VampPrior)",
  shapes: ({ components }, data) => ({ [PSEUDO_INPUTS]: { inputs: components, outputs: features(data.shape) } }),
  record: (t, p, config, encode) =>
    mixturePrior(t, encode(parameterMatrix(t, p.get(PSEUDO_INPUTS), activationOf(config))).statistics),
  async start(context, config) {
    const u = uniforms(new Float64Array(config.components), context.seed, 0, 1);
    const rows = await context.outputs(Array.from(u, (value) => Math.floor(value * context.count)), (_, x) => x);
    // The sigmoid's inverse, away from its ends, where it has no gradient left.
    const logit = (x: number) => Math.log((0.05 + 0.9 * x) / (0.95 - 0.9 * x));
    setPrior(context, PSEUDO_INPUTS, activationOf(config) === "sigmoid" ? rows.map(logit) : rows);
  },
  refused: [
    ["condition", /^(?!none$)/, "its pseudo-inputs have none"],
    ["covariance", "full", "its components have diagonal covariances"],
  ],
};

/** The learned priors that there are for every composed VAE. */
export const PRIORS: Readonly<Record<string, PriorPart>> = { mixture, vamp };

/** The settings of a prior, N(0, I) or one of those given. */
export function priorSettings(priors: Readonly<Record<string, PriorPart>>): Settings<PriorConfig> {
  return {
    prior: {
      type: "choice",
      default: "standard",
      choices: ["standard", ...Object.keys(priors)],
      help: `p(z): N(0, I), ${Object.values(priors).map(({ summary }) => summary).join(", ")}`,
    },
    components: {
      type: "integer",
      default: 100,
      minimum: 1,
      maximum: 8192,
      help: "components of a mixture, or pseudo-inputs",
    },
  };
}
