/**
 * The distributions of each feature beside the Bernoulli's, which a plain VAE has.
 *
 * @module
 */

import type { Family } from "./likelihood.ts";
import continuousBernoulli from "../../shaders/likelihoods/continuous_bernoulli.wgsl" with { type: "text" };
import discretizedLogistic from "../../shaders/likelihoods/discretized_logistic.wgsl" with { type: "text" };
import gaussian from "../../shaders/likelihoods/gaussian.wgsl" with { type: "text" };

/** By its logit; it has no scale. */
export const CONTINUOUS_BERNOULLI: Family = {
  ...{ name: "continuous bernoulli", shader: continuousBernoulli, noise: "uniform" } as const,
};

/** By its mean; the scale is log σ². */
export const GAUSSIAN: Family = { name: "gaussian", shader: gaussian, noise: "normal", isCentred: true };

/** By its location; the scale is log s. */
export const DISCRETIZED_LOGISTIC: Family = {
  ...{ name: "discretized logistic", shader: discretizedLogistic, noise: "uniform" } as const,
};
