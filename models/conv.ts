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
import { chain, type HiddenOptions, linear, mlp } from "../core/nn/mod.ts";
import { concat } from "../core/ops/concat.ts";
import { statisticsColumns } from "../core/ops/reparameterize.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { contextColumns } from "./posterior_flow.ts";
import { dataImages, downsample, pyramid, rowsOf, upsample } from "./conv_stack.ts";
import type { ConvConfig, PosteriorFlowConfig } from "./composed_settings.ts";

/** The settings of the layers, and what else hidden layers have. */
export type LayersConfig = ConvConfig & Omit<HiddenOptions, "activation"> & Partial<PosteriorFlowConfig>;

/** The encoder's convolutions; trunk and posterior, fan: dense layers; the decoder's transposed convolutions. */
function layersOf(config: LayersConfig, data: DataShape["shape"], condition: number) {
  const { hidden, latents, covariance, activation } = config;
  const smallest = features(pyramid(config, data).at(-1)!);
  // Blocks are of images here.
  const dense = { ...config, residual: 0 };
  return {
    downsample: downsample(config, data, { last: activation, flat: true }),
    trunk: chain(
      mlp("trunk", [smallest + condition, ...hidden], dense),
      linear(
        "posterior",
        hidden.at(-1) ?? smallest + condition,
        statisticsColumns(latents, covariance) + contextColumns(config),
      ),
    ),
    fan: mlp("fan", [latents + condition, ...hidden.toReversed(), smallest], dense),
    upsample: upsample(config, data),
  };
}

/** The same of a model's parameters. */
function declared(p: Parameters, config: LayersConfig, condition?: Variable) {
  return layersOf(config, dataImages(p), condition?.columns ?? 0);
}

/**
 * The encoder's layers; trunk, posterior, fan in dense layers; the decoder's.
 *
 * @param condition C, columns joined to the smallest image and to z.
 */
export function convShapes(config: LayersConfig, data: DataShape, condition = 0): Shapes {
  const { downsample, trunk, fan, upsample } = layersOf(config, data.shape, condition);
  return { ...chain(downsample, trunk, fan).shapes, ...upsample.shapes };
}

/** q(z | x) = N(μ(x), Σ(x)); with a condition, of the smallest image joined with it. */
export function convEncode(t: Tape, p: Parameters, x: Variable, config: LayersConfig, condition?: Variable): Posterior {
  const { downsample, trunk } = declared(p, config, condition);
  // The dense layers read a row for each image.
  const images = rowsOf(t, downsample.apply(t, p, x), x.rows);
  const statistics = trunk.apply(t, p, condition ? concat(t, [images, condition]) : images);
  return gaussianPosterior(t, statistics, config.covariance, contextColumns(config));
}

/** p(x | z); with a condition, of z joined with it. */
export function convDecode(
  t: Tape,
  p: Parameters,
  z: Variable,
  config: LayersConfig,
  condition?: Variable,
): Likelihood {
  const { fan, upsample } = declared(p, config, condition);
  const smallest = config.channels.at(-1)!;
  const h = fan.apply(t, p, condition ? concat(t, [z, condition]) : z);
  // A row for each image can be read as it is if the channels come in fours.
  return upsample.decode(t, p, smallest % 4 ? reshape(t, h, smallest) : h, z.rows);
}
