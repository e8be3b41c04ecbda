/**
 * The diagonal Gaussian posterior.
 *
 * @module
 */

import { reparameterize } from "../ops/reparameterize.ts";
import type { Tape, Variable } from "../tape.ts";
import type { Posterior } from "./distribution.ts";

/**
 * q(z | x) = N(μ, diag σ²)
 *
 * @param statistics [N, 2 K]: μ in the first K columns, log σ² in the last K.
 */
export function diagonalGaussian(t: Tape, statistics: Variable): Posterior {
  return {
    name: "diagonal gaussian",
    latents: statistics.columns / 2,
    statistics,
    draw: (options) => reparameterize(t, statistics, options),
  };
}
