/**
 * A score for each datum: how probable the model finds it.
 *
 * @module
 */

import type { Trained } from "../core/training/trained.ts";
import type { SplitInput } from "../core/values.ts";
import type { LogLikelihoodOptions } from "./log_likelihood.ts";
import { type WeighingKind, weighRows } from "./weighing.ts";

/** What {@linkcode scores} gives. */
export interface Scores {
  /** Of each row, nats: the larger, the more probable. */
  readonly values: Float64Array<ArrayBuffer>;
  /**
   * `exact`: log p(x); `estimate`: the importance-weighted estimate of it, with one draw that of the ELBO; `reconstruction`: -nll, of a
   * model without a density.
   */
  readonly kind: WeighingKind;
  /** The rows from the least probable to the most, by their numbers. */
  readonly order: readonly number[];
  /** Draws of z for each row. */
  readonly samples: number;
}

/**
 * log p(x) of each row as {@linkcode logLikelihood} gives it, or -nll where a model has no density, and the outliers first
 *
 * A low score is no proof of an anomaly: simple images can have a higher likelihood than those trained on. Source: Nalisnick et al.,
 * arXiv:1810.09136.
 */
export async function scores(trained: Trained, split: SplitInput, options: LogLikelihoodOptions = {}): Promise<Scores> {
  const { values, kind, samples } = await weighRows(trained, split, { ...options, orReconstruction: true });
  const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j] || i - j);
  return { values, kind, order, samples };
}
