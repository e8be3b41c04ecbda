/**
 * The mixture of discretized logistics, for 8-bit images.
 *
 * @module
 */

import {
  type LogisticMixture,
  logisticMixtureMean,
  logisticMixtureNll,
  logisticMixtureSample,
} from "../ops/logistic_mixture.ts";
import type { Tape } from "../graph/tape.ts";
import { LOG_SCALE_BOUNDS } from "./discretized_logistic.ts";
import type { Likelihood } from "./distribution.ts";

/**
 * P(x | z) = Π_pixels Σ_m π_m Π_c P(x_c | μ_mc, s_mc): {@linkcode logisticMixtureNll}
 *
 * Of one component and without autoregression it is the discretized logistic with a scale for each pixel.
 *
 * Source: Salimans et al., "PixelCNN++", arXiv:1701.05517, section 2.1.
 *
 * @param sigma The deviation of each component where the mixture has 0.
 */
export function logisticMixture(
  t: Tape,
  given: Omit<LogisticMixture, "start" | "lower" | "upper">,
  sigma: number,
): Likelihood {
  const distribution = { ...given, start: Math.log(sigma * Math.sqrt(3) / Math.PI), ...LOG_SCALE_BOUNDS };
  return {
    name: "logistic mixture",
    nll: (x, observed) => logisticMixtureNll(t, distribution, x, observed),
    mean: () => logisticMixtureMean(t, distribution),
    sample: () => logisticMixtureSample(t, distribution),
  };
}
