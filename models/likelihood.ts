/**
 * The likelihoods that every model with a decoder can have: what each needs for parameters, and how it is recorded. It is no model.
 *
 * @module
 */

import { bernoulli } from "../core/distributions/bernoulli.ts";
import { continuousBernoulli } from "../core/distributions/continuous_bernoulli.ts";
import { discretizedLogistic, LOG_SCALE_BOUNDS } from "../core/distributions/discretized_logistic.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import { factoredGaussian, gaussian, LOG_VARIANCE_BOUNDS } from "../core/distributions/gaussian_likelihood.ts";
import { logisticMixture } from "../core/distributions/logistic_mixture.ts";
import { broadcast } from "../core/ops/broadcast.ts";
import { mixtureColumns } from "../core/ops/logistic_mixture.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { CHOICES, type LikelihoodConfig } from "./likelihood_settings.ts";

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
  const of = scale[CHOICES[likelihood].scale];
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
  const { scale } = CHOICES[likelihood];
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
  const of = CHOICES[likelihood].support === "bytes" ? discretizedLogistic : gaussian;
  return of(t, location, learned ? { sigma, learned } : { sigma });
}

/** Says where a learned deviation is held at its lower bound: what is measured then is the bound. */
export async function likelihoodFindings(
  p: Parameters,
  { likelihood, sigma }: LikelihoodConfig,
): Promise<readonly string[]> {
  const { scale, support } = CHOICES[likelihood];
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
