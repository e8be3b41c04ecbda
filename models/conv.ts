/**
 * The encoder and decoder that the convolutional models share: every layer of the encoder halves the image, dense layers come between the
 * smallest image and the latents, and every layer of the decoder doubles the image. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import type { DataShape } from "../core/model.ts";
import { concat } from "../core/ops/concat.ts";
import { dense, stack, stackShapes } from "../core/ops/dense.ts";
import { type Covariance, statisticsColumns } from "../core/ops/reparameterize.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import {
  type ConvStackConfig,
  doublings,
  doublingShapes,
  halvings,
  halvingShapes,
  pyramid,
  rowsOf,
} from "./conv_stack.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface ConvConfig extends ConvStackConfig {
  /** Widths of the dense layers between the smallest image and the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  /** Of q(z | x); full: Σ = L Lᵀ. */
  readonly covariance: Covariance;
}

/**
 * The encoder's layers; trunk, posterior, fan in dense layers; the decoder's.
 *
 * @param condition C, columns joined to the smallest image and to z.
 */
export function convShapes(config: ConvConfig, data: DataShape, condition = 0): Shapes {
  const { hidden, latents, covariance } = config;
  const smallest = features(pyramid(config, data.shape).at(-1)!);
  return {
    ...halvingShapes(config, data.shape),
    ...stackShapes("trunk", [smallest + condition, ...hidden]),
    posterior: { inputs: hidden.at(-1) ?? smallest + condition, outputs: statisticsColumns(latents, covariance) },
    ...stackShapes("fan", [latents + condition, ...hidden.toReversed(), smallest]),
    ...doublingShapes(config, data.shape),
  };
}

/** q(z | x) = N(μ(x), Σ(x)); with a condition, of the smallest image joined with it. */
export function convEncode(t: Tape, p: Parameters, x: Variable, config: ConvConfig, condition?: Variable): Posterior {
  const { hidden, activation, covariance } = config;
  // The dense layers read a row for each image.
  const images = rowsOf(t, halvings(t, p, x, config, { last: activation, flat: true }), x.rows);
  const h = stack(t, condition ? concat(t, [images, condition]) : images, p, "trunk", hidden.length, activation);
  return gaussianPosterior(t, dense(t, h, p.get("posterior")), covariance);
}

/** p(x | z); with a condition, of z joined with it. */
export function convDecode(t: Tape, p: Parameters, z: Variable, config: ConvConfig, condition?: Variable): Likelihood {
  const { channels, hidden, activation } = config;
  const smallest = channels.at(-1)!;
  const h = stack(t, condition ? concat(t, [z, condition]) : z, p, "fan", hidden.length + 1, activation);
  // A row for each image can be read as it is if the channels come in fours.
  return doublings(t, p, smallest % 4 ? reshape(t, h, smallest) : h, config, z.rows);
}
