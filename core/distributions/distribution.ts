/**
 * What every likelihood and every posterior offers, so that training, sampling and evaluation need not know which one a model has.
 * They live on a tape: each call records ops.
 *
 * @module
 */

import type { Covariance, Draw, ReparameterizeOptions } from "../ops/reparameterize.ts";
import type { RowScalars, Variable } from "../graph/tape.ts";

/** p(x | z): what a decoder gives. */
export interface Likelihood {
  /** The distribution, for messages. */
  readonly name: string;
  /**
   * -log p(x | z) of each row, nats.
   *
   * @param x [N, D]
   * @param observed [N, D], 0 where x is missing: only the other features count. Default: all of them.
   */
  nll(x: Variable, observed?: Variable): RowScalars;
  /** E[x | z] [N, D] */
  mean(): Variable;
  /** x ~ p(x | z) [N, D] */
  sample(): Variable;
  /** μ + k σ [N, D], for Gaussians */
  quantile?(k: number): Variable;
}

/** q(z | x): what an encoder gives. */
export interface Posterior {
  /** The distribution, for messages. */
  readonly name: string;
  /** K */
  readonly latents: number;
  /** What it is made of: [N, 2 K] for a diagonal Gaussian, μ and then log σ²; [N, K] for a point. */
  readonly statistics: Variable;
  /** Of a Gaussian: how `statistics` are to be read. */
  readonly covariance?: Covariance;
  /** Of what is no Gaussian: whether a draw's `sampled` divergence is log q(z | x) - log N(z; 0, I). */
  readonly density?: boolean;
  /** What else the encoder gives of x: the context of a flow [N, C]. */
  readonly context?: Variable;
  /** z ~ q(z | x) with the gradient passing through, and the divergence of q from N(0, I). */
  draw(options?: ReparameterizeOptions): Draw;
  /**
   * log N(z; 0, I) - log q(z | x) of each row of z [N L, K], L rows for each of the posterior: its density at the z of another datum. It
   * only measures. Left out where there is none.
   */
  ratio?(z: Variable): RowScalars;
}

/** Whether draws have the density that importance weights need: of a Gaussian, and of what says so. */
export function hasDensity({ covariance, density = covariance !== undefined }: Posterior): boolean {
  return density;
}
