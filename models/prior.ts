/**
 * The priors that a VAE can be composed with: what each needs for parameters, how it is recorded, and how it starts. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import {
  autoregressiveFlow,
  couplingFlow,
  type Flow,
  type FlowOptions,
  flowPrior,
} from "../core/distributions/flows.ts";
import { gaussianPrior, mixturePrior, type Prior } from "../core/distributions/prior.ts";
import type { DataShape, StartContext } from "../core/model.ts";
import type { Activation } from "../core/ops/activations.ts";
import { columns } from "../core/ops/columns.ts";
import { concat } from "../core/ops/concat.ts";
import { dense } from "../core/ops/dense.ts";
import { elementwise } from "../core/ops/elementwise.ts";
import type { Covariance } from "../core/ops/reparameterize.ts";
import { valuesOf } from "../core/ops/sum.ts";
import { parameterMatrix } from "../core/ops/parameter_matrix.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { normals, uniforms } from "../core/graph/random.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { isDensity, type LikelihoodConfig, likelihoodSupport } from "./likelihood_settings.ts";
import type { PriorConfig } from "./composed_settings.ts";

/** What a learned prior is of. */
export interface LearnedConfig extends PriorConfig, LikelihoodConfig {
  /** K */
  readonly latents: number;
  /** Of the posterior. */
  readonly covariance: Covariance;
  /** Of hidden layers. */
  readonly activation: Activation;
}

/** What a prior may be made of besides its parameters. */
export interface PriorContext {
  /** c [N, C], where the model has a condition. */
  readonly condition?: Variable;
  /** Records q(z | u) of the model, without a condition. */
  encode(u: Variable): Posterior;
}

/** A prior to compose a VAE with. */
export interface PriorPart {
  /** In a few words, for `--help`. */
  readonly summary: string;
  /** The settings of priors that it has a use for. Default: `components` alone. */
  readonly uses?: readonly (keyof PriorConfig)[];
  /**
   * The shapes of its parameters, whose names begin with "prior.".
   *
   * @param conditions C, columns of the model's condition; 0 without one.
   */
  shapes(config: LearnedConfig, data: DataShape, conditions: number): Shapes;
  /** Records p(z), or p(z | c). */
  record(t: Tape, p: Parameters, config: LearnedConfig, given: PriorContext): Prior;
  /** Whether {@linkcode Prior.kl} has a closed form for the posterior of a configuration. Default: it has none. */
  closedForm?(config: LearnedConfig): boolean;
  /** Sets its parameters before the first step, where drawing them like weights is no good start. */
  start?(context: StartContext, config: LearnedConfig): Promise<void> | void;
  /** Settings that it has no meaning with, each with the value that it is refused at and why. */
  readonly refused?: readonly (readonly [setting: string, value: string | RegExp, why: string])[];
}

/** One of those that every VAE can have: what they are in words, their settings say. */
type Part = Omit<PriorPart, "summary">;

function setPrior({ parameters }: StartContext, name: string, weight: Float32Array): void {
  const parameter = parameters.get(name);
  parameter.set(parameter.tensor, weight, new Float32Array(parameter.shape.outputs));
}

const MIXTURE = "prior.components";

/** p(z) = Σ_c π_c N(z; μ_c, diag σ_c²), all learned. It starts with means from N(0, I), variances of 1 and equal weights. */
const mixture: Part = {
  shapes: ({ components, latents }) => ({ [MIXTURE]: { inputs: components, outputs: 2 * latents + 1 } }),
  record: (t, p) => mixturePrior(t, parameterMatrix(t, p.get(MIXTURE))),
  start(context, { components, latents }) {
    const columns = 2 * latents + 1;
    const means = normals(new Float32Array(components * latents), context.seed, 0, 1);
    const weight = new Float32Array(components * columns);
    means.forEach((mean, i) => weight[Math.floor(i / latents) * columns + i % latents] = mean);
    setPrior(context, MIXTURE, weight);
  },
  refused: [["penalty", "mmd", "its draws have no gradient"]],
};

const PSEUDO_INPUTS = "prior.inputs";

/** What pseudo-inputs pass through, to be like data. */
const activationOf = (config: LearnedConfig) => isDensity(likelihoodSupport(config)) ? "identity" : "sigmoid";

/**
 * p(z) = (1/C) Σ_c q(z | u_c) over learned pseudo-inputs u_c, which start as rows of the data. Source: Tomczak and Welling, "VAE with a
 * VampPrior", arXiv:1705.07120, equation 9.
 */
const vamp: Part = {
  shapes: ({ components }, data) => ({ [PSEUDO_INPUTS]: { inputs: components, outputs: features(data.shape) } }),
  record: (t, p, config, { encode }) =>
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
    ["flow", /^(?!none$)/, "its components are Gaussians"],
    ["penalty", "mmd", "its draws have no gradient"],
    ["normalization", "batch", "statistics of a batch of pseudo-inputs are not those of data"],
  ],
};

const CONDITIONAL = "prior.statistics";

/**
 * KL(N(μ, exp a) ‖ N(m, exp l)) = ½ (exp(a - l) + (μ - m)² exp(-l) - 1 + l - a), a clamped as in shaders/gaussian.wgsl. Source: Kingma
 * and Welling, arXiv:1312.6114, appendix B, for a Gaussian in place of N(0, I).
 */
const conditionalKl = elementwise({
  name: "KL(N(μ, s) ‖ N(m, v))",
  inputs: ["u", "a", "m", "l"],
  value:
    "0.5 * (exp(clamp(a, vec4f(-30), vec4f(20)) - l) + (u - m) * (u - m) * exp(-l) - 1 + l - clamp(a, vec4f(-30), vec4f(20)))",
  derivatives: {
    u: "(u - m) * exp(-l)",
    a: "select(vec4f(0), 0.5 * (exp(a - l) - 1), abs(a + 5) < vec4f(25))",
    m: "(m - u) * exp(-l)",
    l: "0.5 * (1 - exp(clamp(a, vec4f(-30), vec4f(20)) - l) - (u - m) * (u - m) * exp(-l))",
  },
});

/**
 * p(z | c) = N(z; m(c), diag v(c)), m and log v linear in c. Source: Sohn et al., "Learning Structured Output Representation using Deep
 * Conditional Generative Models", NIPS 2015, equation 4.
 */
const conditional: Part = {
  uses: [],
  shapes: ({ latents }, _, conditions) => ({ [CONDITIONAL]: { inputs: conditions, outputs: 2 * latents } }),
  record(t, p, { latents }, { condition }) {
    if (!condition) throw new TypeError("Cannot record the conditional prior: expected a condition, found none");
    const statistics = dense(t, condition, p.get(CONDITIONAL));
    /** Of each row of z, of which there may be several for one of c. */
    const beside = (z: Variable) => {
      const all = concat(t, [z, statistics]);
      return [0, 1].map((i) => columns(t, all, z.columns + i * latents, latents)) as [Variable, Variable];
    };
    return {
      ...gaussianPrior(t, "conditional Gaussian", beside),
      kl({ statistics: q, covariance }) {
        if (covariance !== "diagonal") return undefined;
        const both = [q, statistics].flatMap((of) => [0, latents].map((first) => columns(t, of, first, latents)));
        return valuesOf(t, "kl", conditionalKl(t, ...both as [Variable, Variable, Variable, Variable]));
      },
    };
  },
  closedForm: ({ covariance }) => covariance === "diagonal",
  refused: [["condition", "none", "it follows from a condition"]],
};

/** A normalizing flow as the prior; of the condition, where the model has one. */
function flowing(
  flowOf: (name: string, options: FlowOptions) => Flow,
  refused: PriorPart["refused"] = [],
): Part {
  const of = ({ latents, priorLayers, priorHidden, activation }: LearnedConfig, context: number) =>
    flowOf("prior", { latents, layers: priorLayers, hidden: priorHidden, activation, context });
  return {
    uses: ["priorLayers", "priorHidden"],
    shapes: (config, _, conditions) => of(config, conditions).shapes,
    record: (t, p, config, { condition }) =>
      flowPrior(t, p, of(config, condition?.columns ?? 0), config.latents, condition),
    refused,
  };
}

const realNvp = flowing(couplingFlow, [
  ["latents", "1", "it couples two halves of them"],
]);

const maf = flowing(autoregressiveFlow);

/** The learned priors that there are for every composed VAE. */
export const PRIORS: Readonly<Record<string, Part>> = { mixture, vamp, conditional, "real-nvp": realNvp, maf };
