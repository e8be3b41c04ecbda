/**
 * The setting `likelihood`, which every model with a decoder can have: what p(x | z) is, what it needs for parameters, and what it is
 * a distribution of. It is no model.
 *
 * @module
 */

import { bernoulli } from "../core/distributions/bernoulli.ts";
import { continuousBernoulli } from "../core/distributions/continuous_bernoulli.ts";
import { discretizedLogistic, LOG_SCALE_BOUNDS } from "../core/distributions/discretized_logistic.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import { factoredGaussian, gaussian, LOG_VARIANCE_BOUNDS } from "../core/distributions/gaussian_likelihood.ts";
import { logisticMixture } from "../core/distributions/logistic_mixture.ts";
import type { Choice as DataChoice, DataShape, Support } from "../core/model.ts";
import { broadcast } from "../core/ops/broadcast.ts";
import { mixtureColumns } from "../core/ops/logistic_mixture.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
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

const choices = {
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
export const LIKELIHOODS = Object.keys(choices) as readonly LikelihoodName[];

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

/** How a mixture of logistics is shaped. */
const mixtureOf = ({ likelihood, logistics }: LikelihoodConfig, channels: number) => ({
  ...{ components: logistics, channels, autoregressive: likelihood === "logistic-mixture" },
});

/** Channels, by what a mixture has beside D locations: no two numbers of channels have as much for each of them, but where they are alike. */
function channelsOf(config: LikelihoodConfig, features: number, outputs: number): number {
  let channels = 1;
  while (mixtureColumns(mixtureOf(config, channels)) * features !== outputs * channels) channels++;
  return channels;
}

/** Features up to which a covariance may be full: matrices of so many rows are taken apart for each datum. */
const MOST_FULL = 32;

/** R, factors of a covariance. */
function rankOf({ likelihood, rank }: LikelihoodConfig, features: number): number {
  if (likelihood !== "gaussian-full") return rank;
  if (features <= MOST_FULL) return features;
  throw new RangeError(
    `Cannot decode to a full covariance: expected at most ${MOST_FULL} features, found ${features}; gaussian-low-rank takes any`,
  );
}

/** Whether a likelihood has a covariance of low rank, whose factors `rank` counts. */
export function isLowRank({ likelihood }: LikelihoodConfig): boolean {
  return likelihood === "gaussian-low-rank";
}

/** Whether a likelihood is a mixture, whose components `logistics` counts. */
export function isMixture({ likelihood }: LikelihoodConfig): boolean {
  return choices[likelihood].scale === "mixture";
}

/**
 * Shapes of "likelihood", and of "scale" where a scale is learned, "mixture" where there is one or "factors" of a covariance, for D features from a decoder's last
 * `inputs`.
 *
 * @param channels Of the features of a pixel, for mixtures.
 */
export function likelihoodShapes(config: LikelihoodConfig, inputs: number, features: number, channels = 1): Shapes {
  const { likelihood } = config;
  const scale = {
    none: {},
    fixed: {},
    shared: { scale: { inputs: 0, outputs: 1 } },
    pixel: { scale: { inputs: 0, outputs: features } },
    decoder: { scale: { inputs, outputs: features } },
    mixture: () => ({
      mixture: { inputs, outputs: mixtureColumns(mixtureOf(config, channels)) * features / channels },
    }),
    factors: () => ({
      scale: { inputs, outputs: features },
      factors: { inputs, outputs: rankOf(config, features) * features },
    }),
  };
  const of = scale[choices[likelihood].scale];
  return { likelihood: { inputs, outputs: features }, ...typeof of === "function" ? of() : of };
}

/** A decoder's last layer of a name, with the outputs of {@linkcode likelihoodShapes}: what {@linkcode likelihoodOf} asks for. */
export type Head = (
  name: "likelihood" | "scale" | "mixture" | "factors",
  activation: "identity" | "sigmoid",
) => Variable;

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
  if (scale === "mixture") {
    const [location, mixture] = [head("likelihood", outputActivation), head("mixture", "identity")];
    const shape = mixtureOf(config, channelsOf(config, columns, mixture.columns));
    return logisticMixture(t, { location, mixture, ...shape }, sigma);
  }
  if (scale === "factors") {
    const [scale, factors] = [head("scale", "identity"), head("factors", "identity")];
    return factoredGaussian(t, { location: head("likelihood", outputActivation), scale, factors }, sigma);
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

/** Whether a distribution is of numbers, and not of some values. */
export function isDensity(support: Support): boolean {
  return support === "density" || support === "unit";
}

/** Says where a learned deviation is held at its lower bound: what is measured then is the bound. */
export async function likelihoodFindings(
  p: Parameters,
  { likelihood, sigma }: LikelihoodConfig,
): Promise<readonly string[]> {
  const { scale, support } = choices[likelihood];
  if (scale !== "shared" && scale !== "pixel") return [];
  const isLogistic = support === "bytes";
  const { lower } = isLogistic ? LOG_SCALE_BOUNDS : LOG_VARIANCE_BOUNDS;
  const start = isLogistic ? Math.log(sigma * Math.sqrt(3) / Math.PI) : 2 * Math.log(sigma);
  const { bias } = await p.get("scale").get();
  const held = bias.filter((value) => start + value < lower).length;
  if (held === 0) return [];
  const bound = (isLogistic ? Math.exp(lower) * Math.PI / Math.sqrt(3) : Math.exp(lower / 2)).toPrecision(2);
  const which = bias.length === 1 ? "the learned deviation is" : `${held} of ${bias.length} learned deviations are`;
  return [`likelihood: ${which} held at the lower bound, σ = ${bound}; elbo follows from the bound, not from the data`];
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
    const { scale, support } = choices[given.likelihood];
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
  if (isDensity(choices[likelihood].support)) {
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
