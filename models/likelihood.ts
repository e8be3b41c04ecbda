/**
 * The setting `likelihood`, which every model with a decoder can have: what p(x | z) is, what it needs for parameters, and what it is
 * a distribution of. It is no model.
 *
 * @module
 */

import { bernoulli } from "../core/distributions/bernoulli.ts";
import { continuousBernoulli } from "../core/distributions/continuous_bernoulli.ts";
import { discretizedLogistic } from "../core/distributions/discretized_logistic.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import { gaussian } from "../core/distributions/gaussian_likelihood.ts";
import type { Support } from "../core/model.ts";
import { broadcast } from "../core/ops/broadcast.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";

/** Where σ comes from: `--sigma`, one learned number, one for each pixel, or the decoder. */
type Scale = "none" | "fixed" | "shared" | "pixel" | "decoder";

interface Choice {
  readonly support: Support;
  readonly scale: Scale;
}

/** A likelihood's name. */
export type LikelihoodName =
  | "bernoulli"
  | "continuous-bernoulli"
  | "gaussian"
  | "gaussian-shared"
  | "gaussian-pixel"
  | "gaussian-decoder"
  | "discretized-logistic"
  | "discretized-logistic-pixel"
  | "discretized-logistic-decoder";

const choices = {
  "bernoulli": { support: "binary", scale: "none" },
  "continuous-bernoulli": { support: "density", scale: "none" },
  "gaussian": { support: "density", scale: "fixed" },
  "gaussian-shared": { support: "density", scale: "shared" },
  "gaussian-pixel": { support: "density", scale: "pixel" },
  "gaussian-decoder": { support: "density", scale: "decoder" },
  "discretized-logistic": { support: "bytes", scale: "shared" },
  "discretized-logistic-pixel": { support: "bytes", scale: "pixel" },
  "discretized-logistic-decoder": { support: "bytes", scale: "decoder" },
} as const satisfies Record<LikelihoodName, Choice>;

/** The names of the likelihoods. */
export const LIKELIHOODS = Object.keys(choices) as readonly LikelihoodName[];

/** What shapes a likelihood. */
export interface LikelihoodConfig {
  /** p(x | z). */
  readonly likelihood: LikelihoodName;
  /** σ where it is fixed; where it is learned, what it is at first. */
  readonly sigma: number;
  /** What the mean of a Gaussian, or the location of a logistic, passes through. */
  readonly outputActivation: "identity" | "sigmoid";
}

/** The settings of {@linkcode LikelihoodConfig}. */
export const likelihoodSettings: Settings<LikelihoodConfig> = {
  likelihood: {
    type: "choice",
    default: "bernoulli",
    choices: LIKELIHOODS,
    help: "p(x | z); a learned deviation is shared by all pixels, one a pixel, or an output of the decoder",
  },
  sigma: {
    type: "number",
    default: 0.1,
    minimum: 0,
    exclusiveMinimum: true,
    help: "deviation of a gaussian likelihood; where it is learned (logistic ones too), its start",
  },
  outputActivation: {
    type: "choice",
    default: "identity",
    choices: ["identity", "sigmoid"],
    help: "of the mean of a gaussian likelihood or the location of a logistic one",
  },
};

/** Shapes of "likelihood", and of "scale" where a scale is learned, for D features from a decoder's last `inputs`. */
export function likelihoodShapes({ likelihood }: LikelihoodConfig, inputs: number, features: number): Shapes {
  const scale = {
    none: {},
    fixed: {},
    shared: { scale: { inputs: 0, outputs: 1 } },
    pixel: { scale: { inputs: 0, outputs: features } },
    decoder: { scale: { inputs, outputs: features } },
  };
  return { likelihood: { inputs, outputs: features }, ...scale[choices[likelihood].scale] };
}

/** A decoder's last layer of a name, D columns: what {@linkcode likelihoodOf} asks for. */
export type Head = (name: "likelihood" | "scale", activation: "identity" | "sigmoid") => Variable;

/**
 * p(x | z) from the last layers of a decoder.
 *
 * @param size [N, D] of the data.
 */
export function likelihoodOf(
  t: Tape,
  p: Parameters,
  config: LikelihoodConfig,
  [rows, columns]: readonly [rows: number, columns: number],
  head: Head,
): Likelihood {
  const { likelihood, sigma, outputActivation } = config;
  const { scale } = choices[likelihood];
  if (scale === "none") {
    const logits = head("likelihood", "identity");
    return likelihood === "bernoulli" ? bernoulli(t, logits) : continuousBernoulli(t, logits);
  }
  // The scale first: then the likelihood can be formed where the location is.
  const before = scale === "decoder" ? head("scale", "identity") : undefined;
  const vector = scale === "shared" || scale === "pixel" ? p.get("scale") : undefined;
  const learned = before ?? (vector && broadcast(t, vector, columns, rows));
  const location = head("likelihood", outputActivation);
  const of = choices[likelihood].support === "bytes" ? discretizedLogistic : gaussian;
  return of(t, location, learned ? { sigma, learned } : { sigma });
}

/** What the likelihood is a distribution of. */
export function likelihoodSupport({ likelihood }: LikelihoodConfig): Support {
  return choices[likelihood].support;
}

/**
 * What a user must know of a likelihood.
 *
 * @param beta The weight of what is minimised beside nll; 0 where nothing is.
 * @param penalty What that is.
 */
export function likelihoodCaveats(
  { likelihood, sigma }: LikelihoodConfig,
  beta = 1,
  penalty = "KL",
): readonly string[] {
  const remarks: string[] = [];
  if (choices[likelihood].support === "density") {
    remarks.push("nll is of a density: it may be negative, and compares only with densities of the same values");
  }
  if (choices[likelihood].scale === "fixed" && beta > 0) {
    const digits = (value: number) => Number(value.toPrecision(4));
    const weighted = beta === 1 ? penalty : `${beta} ${penalty}`;
    const effective = digits(2 * sigma ** 2 * beta);
    remarks.push(
      `effective β = ${effective}: with σ = ${sigma} fixed, ‖x - μ‖²/(2σ²) + ${weighted} has the minimum of ` +
        `‖x - μ‖² + ${effective} ${penalty} (2σ² times the weight; a weight of 1 beside the plain squared error is ` +
        `σ² = ½, beside its mean over D pixels σ² = D/2)`,
    );
  }
  return remarks;
}
