/**
 * The Gaussian likelihood, its variance fixed or learned.
 *
 * @module
 */

import { GAUSSIAN } from "../ops/families.ts";
import {
  type FactoredGaussian,
  factoredGaussianNll,
  factoredGaussianQuantile,
  factoredGaussianSample,
} from "../ops/factored_gaussian.ts";
import { gaussianQuantile, likelihoodMean, likelihoodNll, likelihoodSample } from "../ops/likelihood.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Likelihood } from "./distribution.ts";

/**
 * Where a learned log σ² is kept, smoothly: σ between 0.0067 (1.7 steps of an 8-bit pixel) and 148. A density has no upper limit:
 * on pixels that never change, σ would run to 0 and the likelihood to ∞.
 */
export const LOG_VARIANCE_BOUNDS = { lower: -10, upper: 10 } as const;

/** The deviation of a Gaussian likelihood. */
export interface Deviation {
  /** σ; where it is learned, what it is at first. */
  readonly sigma: number;
  /** [N, D]: what is learned of log σ², 0 at first. Left out, σ is fixed. Record it before the mean. */
  readonly learned?: Variable;
}

/**
 * p(x | z) = Π_d N(x_d; μ_d, σ_d²), so -log p = ½ Σ_d [log 2π + log σ_d² + (x_d - μ_d)² / σ_d²]
 *
 * The constants count: figures of different σ can be compared. A learned log σ² = log sigma² + learned is kept in
 * {@linkcode LOG_VARIANCE_BOUNDS}.
 *
 * Source: Kingma and Welling, arXiv:1312.6114, appendix C.2.
 *
 * @param mean μ [N, D]
 */
export function gaussian(t: Tape, mean: Variable, { sigma, learned }: Deviation): Likelihood {
  const start = 2 * Math.log(sigma);
  const distribution = {
    family: GAUSSIAN,
    location: mean,
    scale: learned ? { variable: learned, start, ...LOG_VARIANCE_BOUNDS } : start,
  } as const;
  return {
    name: "gaussian",
    nll: (x, observed) => likelihoodNll(t, distribution, x, observed),
    mean: () => likelihoodMean(t, distribution),
    sample: () => likelihoodSample(t, distribution),
    quantile: (k) => gaussianQuantile(t, distribution, k),
  };
}

/**
 * p(x | z) = N(x; μ, diag(σ²) + W Wᵀ), all of which the decoder gives: {@linkcode factoredGaussianNll}
 *
 * With as many factors as features it is a Gaussian of full covariance. log σ² is kept in {@linkcode LOG_VARIANCE_BOUNDS}, and W is in units of
 * `sigma`, so that σ and the factors begin alike.
 *
 * @param sigma σ where the scale is 0.
 */
export function factoredGaussian(
  t: Tape,
  given: Pick<FactoredGaussian, "location" | "scale" | "factors">,
  sigma: number,
): Likelihood {
  const distribution = { ...given, start: 2 * Math.log(sigma), factor: sigma, ...LOG_VARIANCE_BOUNDS };
  return {
    name: "gaussian",
    nll: (x, observed) => factoredGaussianNll(t, distribution, x, observed),
    mean: () => given.location,
    sample: () => factoredGaussianSample(t, distribution),
    quantile: (k) => factoredGaussianQuantile(t, distribution, k),
  };
}
