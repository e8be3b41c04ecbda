/**
 * The setting `prior`: what p(z) is, what it needs for parameters, how it enters the KL, and how it is drawn from. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import type { DataShape, StartContext } from "../core/model.ts";
import { mixtureRatio } from "../core/ops/mixture_prior.ts";
import { parameterMatrix } from "../core/ops/parameter_matrix.ts";
import { sumValues } from "../core/ops/sum_values.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { normals, uniforms } from "../core/graph/random.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { type LikelihoodConfig, likelihoodSupport } from "./likelihood.ts";

/** The names of the priors. */
export const PRIORS = ["standard", "mixture", "vamp"] as const;

/** What p(z) is. */
export interface PriorConfig {
  /** N(0, I); a learned mixture of Gaussians; or the VampPrior, the mean of q(z | u) over learned pseudo-inputs u. */
  readonly prior: typeof PRIORS[number];
  /** C, components of a mixture, or pseudo-inputs. */
  readonly components: number;
}

/** The settings of {@linkcode PriorConfig}. */
export const priorSettings: Settings<PriorConfig> = {
  prior: {
    type: "choice",
    default: "standard",
    choices: PRIORS,
    help:
      "p(z): N(0, I), a learned mixture of Gaussians, or the mean of q(z | u) over learned pseudo-inputs u (VampPrior)",
  },
  components: {
    type: "integer",
    default: 100,
    minimum: 1,
    maximum: 8192,
    help: "components of a mixture, or pseudo-inputs",
  },
};

const MIXTURE = "prior.components";
const PSEUDO_INPUTS = "prior.inputs";

/** What a learned prior is of. */
export interface LearnedConfig extends PriorConfig, LikelihoodConfig {
  readonly latents: number;
}

/** The shapes of a prior's parameters. */
export function priorShapes({ prior, components, latents }: LearnedConfig, data: DataShape): Shapes {
  switch (prior) {
    case "standard":
      return {};
    case "mixture":
      return { [MIXTURE]: { inputs: components, outputs: 2 * latents + 1 } };
    case "vamp":
      return { [PSEUDO_INPUTS]: { inputs: components, outputs: features(data.shape) } };
  }
}

/** What pseudo-inputs pass through, to be like data. */
const activationOf = (config: LearnedConfig) => likelihoodSupport(config) === "density" ? "identity" : "sigmoid";

/**
 * The components of a learned prior, [C, 2 K] or [C, 2 K + 1], as {@linkcode mixtureRatio} has them.
 *
 * VampPrior: p(z) = (1/C) Σ_c q(z | u_c). Source: Tomczak and Welling, "VAE with a VampPrior", arXiv:1705.07120, equation 9.
 *
 * @param encode Records q(z | u).
 */
export function priorComponents(
  t: Tape,
  p: Parameters,
  config: LearnedConfig,
  encode: (u: Variable) => Posterior,
): Variable {
  if (config.prior === "mixture") return parameterMatrix(t, p.get(MIXTURE));
  return encode(parameterMatrix(t, p.get(PSEUDO_INPUTS), activationOf(config))).statistics;
}

/**
 * The posterior with KL(q(z | x) ‖ p(z)) of a learned prior, estimated by the draw: log q(z | x) - log p(z)
 *
 * @param components Records the components, once for all draws.
 */
export function withPrior(t: Tape, posterior: Posterior, components: () => Variable): Posterior {
  let recorded: Variable | undefined;
  return {
    ...posterior,
    draw(options) {
      const { z, kl } = posterior.draw({ ...options, divergence: "sampled", freeBits: 0 });
      return { z, kl: sumValues(t, "kl", kl, mixtureRatio(t, z, recorded ??= components())) };
    },
  };
}

/** Starts a mixture with means from N(0, I) and variances of 1, and pseudo-inputs with rows of the data. */
export async function startPrior(
  { parameters, seed, count, outputs }: StartContext,
  config: LearnedConfig,
): Promise<void> {
  const { prior, components, latents } = config;
  const set = (name: string, weight: Float32Array) => {
    const parameter = parameters.get(name);
    parameter.set(parameter.tensor, weight, new Float32Array(parameter.shape.outputs));
  };
  if (prior === "mixture") {
    const columns = 2 * latents + 1;
    const means = normals(new Float32Array(components * latents), seed, 0, 1);
    const weight = new Float32Array(components * columns);
    means.forEach((mean, i) => weight[Math.floor(i / latents) * columns + i % latents] = mean);
    set(MIXTURE, weight);
  } else if (prior === "vamp") {
    const u = uniforms(new Float64Array(components), seed, 0, 1);
    const rows = await outputs(Array.from(u, (value) => Math.floor(value * count)), (_, x) => x);
    // The sigmoid's inverse, away from its ends, where it has no gradient left.
    const logit = (x: number) => Math.log((0.05 + 0.9 * x) / (0.95 - 0.9 * x));
    set(PSEUDO_INPUTS, activationOf(config) === "sigmoid" ? rows.map(logit) : rows);
  }
}
