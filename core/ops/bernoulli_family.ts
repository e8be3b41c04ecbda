/**
 * The Bernoulli distribution of each feature, by its logit.
 *
 * @module
 */

import type { Family } from "./likelihood.ts";
import shader from "../../shaders/likelihoods/bernoulli.wgsl" with { type: "text" };

/** μ^x (1 - μ)^(1 - x), μ = sigmoid(location); it has no scale. */
export const BERNOULLI: Family = { name: "bernoulli", shader, noise: "uniform" };
