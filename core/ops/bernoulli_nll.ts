/**
 * The negative log-likelihood of a Bernoulli decoder.
 *
 * @module
 */

import { BERNOULLI } from "./bernoulli_family.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { likelihoodNll } from "./likelihood.ts";

/**
 * -log p(x | l) = Σ_d max(l, 0) - l x + log(1 + exp(-|l|)) for each row, from logits l
 *
 * Backward: dl = w (sigmoid(l) - x), with w the weight of the term. Both are formed where the layer before ends, and the logits are
 * not stored, unless something else reads them. x may lie anywhere in [0, 1]; only for x in {0, 1} is it a likelihood.
 *
 * @param logits [N, D]
 * @param x [N, D]; where the logits have L rows for each row of x, each row is compared with all of its L.
 * @param observed [N, D], 0 where x is missing: the sum is over the other features. Default: all are observed.
 */
export function bernoulliNll(t: Tape, logits: Variable, x: Variable, observed?: Variable): RowScalars {
  return likelihoodNll(t, { family: BERNOULLI, location: logits }, x, observed);
}
