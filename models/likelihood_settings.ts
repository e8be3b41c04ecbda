/**
 * The setting `likelihood`: what there is to choose from, what each is a distribution of, and which one suits the data. It is no model.
 *
 * @module
 */

import type { Choice as DataChoice, DataShape, Support } from "../core/model.ts";
import type { Settings } from "../core/settings.ts";
import type { ValueSummary } from "../core/values.ts";

/**
 * Where σ comes from: `--sigma`, one learned number, one for each pixel, or the decoder, which may give it of each component of a mixture, or
 * with factors of the covariance beside it.
 */
type Scale = "none" | "fixed" | "shared" | "pixel" | "decoder" | "mixture" | "factors";

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
  | "gaussian-low-rank"
  | "gaussian-full"
  | "discretized-logistic"
  | "discretized-logistic-pixel"
  | "discretized-logistic-decoder"
  | "logistic-mixture"
  | "logistic-mixture-independent";

/** What each likelihood is. */
export const CHOICES = {
  "bernoulli": { support: "binary", scale: "none" },
  "continuous-bernoulli": { support: "unit", scale: "none" },
  "gaussian": { support: "density", scale: "fixed" },
  "gaussian-shared": { support: "density", scale: "shared" },
  "gaussian-pixel": { support: "density", scale: "pixel" },
  "gaussian-decoder": { support: "density", scale: "decoder" },
  "gaussian-low-rank": { support: "density", scale: "factors" },
  "gaussian-full": { support: "density", scale: "factors" },
  "discretized-logistic": { support: "bytes", scale: "shared" },
  "discretized-logistic-pixel": { support: "bytes", scale: "pixel" },
  "discretized-logistic-decoder": { support: "bytes", scale: "decoder" },
  "logistic-mixture": { support: "bytes", scale: "mixture" },
  "logistic-mixture-independent": { support: "bytes", scale: "mixture" },
} as const satisfies Record<LikelihoodName, Choice>;

/** The names of the likelihoods. */
export const LIKELIHOODS = Object.keys(CHOICES) as readonly LikelihoodName[];

/** What shapes a likelihood. */
export interface LikelihoodConfig {
  /** p(x | z). */
  readonly likelihood: LikelihoodName;
  /** σ where it is fixed; where it is learned, what it is at first. */
  readonly sigma: number;
  /** What the mean of a Gaussian, or the location of a logistic, passes through. */
  readonly outputActivation: "identity" | "sigmoid";
  /** M, components of a mixture of logistics. */
  readonly logistics: number;
  /** R, factors of a covariance of low rank. */
  readonly rank: number;
}

/** The settings of {@linkcode LikelihoodConfig}. */
export const likelihoodSettings: Settings<LikelihoodConfig> = {
  likelihood: {
    type: "choice",
    default: "bernoulli",
    choices: LIKELIHOODS,
    help:
      "p(x | z); a learned deviation is shared by all pixels, one a pixel, or an output of the decoder, with factors of the covariance of --rank or of all features; in a logistic mixture, a channel follows from those before it, or not",
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
  logistics: { type: "integer", default: 5, minimum: 1, maximum: 10, help: "components of a logistic mixture" },
  rank: {
    type: "integer",
    default: 4,
    minimum: 1,
    maximum: 32,
    help: "factors of the covariance of a gaussian of low rank, beside its diagonal",
  },
};

/** The same of a model that {@linkcode chosenLikelihood} chooses for. */
export const likelihoodByData: Settings<LikelihoodConfig> = {
  ...likelihoodSettings,
  likelihood: { ...likelihoodSettings.likelihood, byData: true },
};

/** Whether a likelihood has a covariance of low rank, whose factors `rank` counts. */
export function isLowRank({ likelihood }: LikelihoodConfig): boolean {
  return likelihood === "gaussian-low-rank";
}

/** Whether a likelihood is a mixture, whose components `logistics` counts. */
export function isMixture({ likelihood }: LikelihoodConfig): boolean {
  return CHOICES[likelihood].scale === "mixture";
}

/** What the likelihood is a distribution of. */
export function likelihoodSupport({ likelihood }: LikelihoodConfig): Support {
  return CHOICES[likelihood].support;
}

/** Whether a distribution is of numbers, and not of some values. */
export function isDensity(support: Support): boolean {
  return support === "density" || support === "unit";
}

/** From this share of values in the outer quarters on, grey images are drawings in black and white: 0.95 of MNIST, 0.5 of photographs. */
const BLACK_AND_WHITE = 0.85;

/**
 * The likelihood that suits the data, where nobody decided on one: Bernoulli for binary values and for grey images that nearly are, the
 * discretized logistic for bytes, a Gaussian with a learned deviation for all other numbers.
 *
 * Numbers may be on any scale. A deviation that is learned begins with theirs: a decoder begins near 0, so it is their distance from 0.
 */
export function chosenLikelihood<C extends LikelihoodConfig>(
  { shape }: DataShape,
  { kind, type, extremes, rootMeanSquare = 0 }: ValueSummary,
  given: Partial<C>,
): DataChoice<C> | undefined {
  const sigma = Number(rootMeanSquare.toPrecision(2));
  const start = kind === "real" && given.sigma === undefined && sigma > 0 ? { sigma } : {};
  const begins = "sigma" in start ? `σ, which is learned, begins at ${sigma}` : "";
  if (given.likelihood !== undefined) {
    const { scale, support } = CHOICES[given.likelihood];
    const isLearned = support === "density" && scale !== "fixed";
    return isLearned && begins ? { config: start as Partial<C>, why: `${begins}, by the data` } : undefined;
  }
  const choice = (likelihood: LikelihoodName, why: string): DataChoice<C> => ({
    config: { likelihood } as Partial<C>,
    why: `likelihood ${likelihood}, by the data: ${why}`,
  });
  if (kind === "binary") return choice("bernoulli", "they are binary");
  if (kind !== "real" && shape[2] === 1 && extremes >= BLACK_AND_WHITE) {
    const drawn = choice("bernoulli", "they are nearly black and white, and binarized");
    return type === "floats" ? { ...drawn, binarize: "dynamic" } : drawn;
  }
  if (kind === "bytes") return choice("discretized-logistic", "they are bytes");
  const { config, why } = choice("gaussian-shared", "they are numbers");
  return { config: { ...config, ...start }, why: begins ? `${why}; ${begins}` : why };
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
  if (isDensity(CHOICES[likelihood].support)) {
    remarks.push("nll is of a density: it may be negative, and compares only with densities of the same values");
  }
  if (CHOICES[likelihood].scale === "fixed" && beta > 0) {
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
