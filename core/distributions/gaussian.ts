/**
 * The Gaussian posterior.
 *
 * @module
 */

import { columns } from "../ops/columns.ts";
import { type Covariance, latentsOf, reparameterize } from "../ops/reparameterize.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { posteriorRatio } from "../ops/posterior_ratio.ts";
import type { Posterior } from "./distribution.ts";

/**
 * q(z | x) = N(μ, diag σ²), or N(μ, L Lᵀ) with full covariance
 *
 * @param given [N, 2 K]: μ in the first K columns, log σ² in the last K; more for full covariance, see {@linkcode reparameterize}; and the
 *   context of a flow behind them.
 * @param context How many columns that is.
 */
export function gaussianPosterior(
  t: Tape,
  given: Variable,
  covariance: Covariance = "diagonal",
  context = 0,
): Posterior {
  const own = given.columns - context;
  const statistics = context ? columns(t, given, 0, own) : given;
  return {
    name: `gaussian, ${covariance} covariance`,
    latents: latentsOf(statistics, covariance),
    statistics,
    covariance,
    ...context ? { context: columns(t, given, own, context) } : {},
    draw: (options) => reparameterize(t, statistics, { ...options, covariance }),
    ratio: (z) => posteriorRatio(t, z, statistics, covariance),
  };
}
