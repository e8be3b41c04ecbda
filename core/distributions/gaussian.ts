/**
 * The Gaussian posterior.
 *
 * @module
 */

import { type Covariance, latentsOf, reparameterize } from "../ops/reparameterize.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Posterior } from "./distribution.ts";

/**
 * q(z | x) = N(μ, diag σ²), or N(μ, L Lᵀ) with full covariance
 *
 * @param statistics [N, 2 K]: μ in the first K columns, log σ² in the last K; more for full covariance, see {@linkcode reparameterize}.
 */
export function gaussianPosterior(t: Tape, statistics: Variable, covariance: Covariance = "diagonal"): Posterior {
  return {
    name: `gaussian, ${covariance} covariance`,
    latents: latentsOf(statistics, covariance),
    statistics,
    covariance,
    draw: (options) => reparameterize(t, statistics, { ...options, covariance }),
  };
}
