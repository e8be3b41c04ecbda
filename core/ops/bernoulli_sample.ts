/**
 * Drawing from a Bernoulli decoder.
 *
 * @module
 */

import { BERNOULLI } from "./bernoulli_family.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { likelihoodSample } from "./likelihood.ts";

/**
 * x ~ Bernoulli(sigmoid(l)): 1 or 0 for each element. It has no gradient.
 *
 * @param logits l [N, D]
 * @returns x [N, D]
 */
export function bernoulliSample(t: Tape, logits: Variable): Variable {
  return likelihoodSample(t, { family: BERNOULLI, location: logits });
}
