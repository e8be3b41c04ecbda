/**
 * The continuous Bernoulli likelihood.
 *
 * @module
 */

import { CONTINUOUS_BERNOULLI } from "../ops/families.ts";
import { type Elementwise, likelihoodMean, likelihoodNll, likelihoodSample } from "../ops/likelihood.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Likelihood } from "./distribution.ts";

/**
 * p(x | z) = Π_d C(λ_d) λ_d^x_d (1 - λ_d)^(1 - x_d) on [0, 1], λ = sigmoid(l), with the constant C that makes it a density: grey values
 * under a Bernoulli loss lack it.
 *
 * As a function of the logit: -log p = log((e^l - 1) / l) - l x, and the mean is 1 / (1 - e^-l) - 1 / l, not λ.
 *
 * Source: Loaiza-Ganem and Cunningham, "The continuous Bernoulli", arXiv:1907.06845, equations 3 to 8.
 *
 * @param logits l [N, D]
 */
export function continuousBernoulli(t: Tape, logits: Variable): Likelihood {
  const distribution: Elementwise = { family: CONTINUOUS_BERNOULLI, location: logits };
  return {
    name: "continuous bernoulli",
    nll: (x, observed) => likelihoodNll(t, distribution, x, observed),
    mean: () => likelihoodMean(t, distribution),
    sample: () => likelihoodSample(t, distribution),
  };
}
