/**
 * The discretized logistic likelihood, for 8-bit pixels.
 *
 * @module
 */

import { DISCRETIZED_LOGISTIC } from "../ops/families.ts";
import { type Elementwise, likelihoodMean, likelihoodNll, likelihoodSample } from "../ops/likelihood.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Likelihood } from "./distribution.ts";
import type { Deviation } from "./gaussian_likelihood.ts";

/** Where a learned log s is kept, smoothly: s between 0.0009, a quarter of a bin, and 148. */
export const LOG_SCALE_BOUNDS = { lower: -7, upper: 5 } as const;

/**
 * P(x | z) = Π_d [F((x_d + 1/510 - μ_d) / s_d) - F((x_d - 1/510 - μ_d) / s_d)], F(v) = 1 / (1 + e^-v), for x = 0, 1/255, ..., 1;
 * the bin of 0 reaches down to -∞ and that of 1 up to ∞
 *
 * A probability of 256 values, so -log P divided by D log 2 is in bits per dimension. A logistic variable has the deviation
 * σ = s π / √3; a learned log s is kept in {@linkcode LOG_SCALE_BOUNDS}.
 *
 * Source: Kingma et al., arXiv:1606.04934, appendix C; Salimans et al., arXiv:1701.05517, equation 2.
 *
 * @param location μ [N, D]
 */
export function discretizedLogistic(t: Tape, location: Variable, { sigma, learned }: Deviation): Likelihood {
  const start = Math.log(sigma * Math.sqrt(3) / Math.PI);
  const distribution: Elementwise = {
    family: DISCRETIZED_LOGISTIC,
    location,
    scale: learned ? { variable: learned, start, ...LOG_SCALE_BOUNDS } : start,
  };
  return {
    name: "discretized logistic",
    nll: (x, observed) => likelihoodNll(t, distribution, x, observed),
    mean: () => likelihoodMean(t, distribution),
    sample: () => likelihoodSample(t, distribution),
  };
}

/**
 * Nats per datum as bits per dimension: nats / (D log 2)
 *
 * @param nats -log P(x) of a datum of whole pixels, or its bound, -ELBO.
 * @param dimensions D
 */
export function bitsPerDimension(nats: number, dimensions: number): number {
  return nats / (dimensions * Math.LN2);
}
