/**
 * The Bernoulli likelihood.
 *
 * @module
 */

import { activate } from "../ops/activate.ts";
import { bernoulliNll } from "../ops/bernoulli_nll.ts";
import { bernoulliSample } from "../ops/bernoulli_sample.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Likelihood } from "./distribution.ts";

/**
 * p(x | z) = Π_d μ_d^x_d (1 - μ_d)^(1 - x_d), μ = sigmoid(l)
 *
 * @param logits l [N, D]
 */
export function bernoulli(t: Tape, logits: Variable): Likelihood {
  return {
    name: "bernoulli",
    nll: (x, observed) => bernoulliNll(t, logits, x, observed),
    mean: () => activate(t, logits, "sigmoid"),
    sample: () => bernoulliSample(t, logits),
  };
}
