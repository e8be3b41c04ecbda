/**
 * The log-likelihood of data: exact where a model has it, else by importance sampling with draws from the posterior.
 *
 * @module
 */

import type { Trained } from "../core/training/trained.ts";
import type { SplitInput } from "../core/values.ts";
import { type LogLikelihood, type LogLikelihoodOptions, weighRows } from "./weighing.ts";

export { ESTIMATORS, type LikelihoodProgress, type LogLikelihood, type LogLikelihoodOptions } from "./weighing.ts";

/**
 * log p(x) ≈ log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x), zₗ ~ q(z | x): in expectation from below, and the closer the larger L
 *
 * A batch is encoded once; then each step draws z, decodes, and adds to a running log-sum-exp of each datum, so that memory does not grow
 * with L and nothing is read back before the end. For models whose posterior is exact it is nll + kl, without draws.
 *
 * "harmonic" is -log (1/L) Σₗ q(zₗ | x) / (p(x | zₗ) p(zₗ)), with -log p(z) = ½‖z‖² + ½ K log 2π: right only with zₗ from the true posterior.
 * With zₗ from q it is biased: it tends to log p(x) - log E_q[q(z | x) / p(z | x)], which is below, comes to it from above, and is
 * dominated by the least probable draws. Only to be compared with figures that were formed by it.
 *
 * Source: Burda et al., arXiv:1509.00519, equation 8, and Rezende et al., arXiv:1401.4082, appendix E; harmonic: Kingma and Welling,
 * arXiv:1312.6114, appendix D, with the posterior in place of a density fitted to it.
 *
 * @throws {TypeError} If the model has no density.
 * @throws {RangeError} If `samples` is no positive integer.
 */
export async function logLikelihood(
  trained: Trained,
  split: SplitInput,
  options: LogLikelihoodOptions = {},
): Promise<LogLikelihood> {
  return await weighRows(trained, split, options);
}
