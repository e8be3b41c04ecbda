/**
 * What convolutional models share: an encoder whose every layer halves the image, and a decoder whose every layer doubles it back, up to
 * the likelihood. It is no model.
 *
 * @module
 */

import type { Likelihood } from "../core/distributions/distribution.ts";
import { features } from "../core/dataset.ts";
import type { Activation } from "../core/ops/activations.ts";
import { conv2d } from "../core/ops/conv2d.ts";
import { convTranspose2d } from "../core/ops/conv_transpose2d.ts";
import { convShape, convSize, convTransposeSize } from "../core/ops/images.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, ParameterShape, Shapes } from "../core/graph/parameters.ts";
import type { Settings } from "../core/settings.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { type LikelihoodConfig, likelihoodOf, likelihoodSettings, likelihoodShapes } from "./likelihood.ts";
import { mlpSettings } from "./mlp.ts";

/** What shapes the convolutions, and the likelihood. */
export interface ConvStackConfig extends LikelihoodConfig {
  /** Channels behind each halving of the image. */
  readonly channels: readonly number[];
  readonly kernel: number;
  readonly activation: Activation;
}

/** The settings of {@linkcode ConvStackConfig}. */
export const convStackSettings: Settings<ConvStackConfig> = {
  channels: {
    type: "integers",
    default: [32, 64],
    minimum: 1,
    maximum: 512,
    help: "channels behind each halving of the image; the decoder mirrors them",
  },
  kernel: { type: "integer", default: 4, minimum: 2, maximum: 11, help: "rows and columns of a kernel" },
  activation: { ...mlpSettings.activation, default: "relu" },
  ...likelihoodSettings,
};

/** Rows, columns and channels of images. */
export type Images = readonly [height: number, width: number, channels: number];

const strided = ({ kernel }: ConvStackConfig) => ({ kernel, stride: 2, padding: (kernel - 1) >> 1 });

/** The least height and width of which every layer leaves a pixel: H = (H' - 1) stride - 2 padding + K, from 1 on. */
const smallest = (config: ConvStackConfig) =>
  config.channels.reduce((size) => Math.max(1, convTransposeSize(size, strided(config))), 1);

/**
 * The images behind each layer of the encoder, the data first: 28 x 28 x 1, 14 x 14 x 32, 7 x 7 x 64.
 *
 * @throws {RangeError} If there is no layer, or the images are too small for one.
 */
export function pyramid(config: ConvStackConfig, data: Images): Images[] {
  const { channels, kernel } = config;
  if (channels.length === 0) {
    throw new RangeError("Cannot halve images: expected channels for at least 1 convolution, found none");
  }
  const levels = [data];
  for (const outputs of channels) {
    const [height, width] = levels.at(-1)!.map((size) => convSize(size, strided(config)));
    if (height < 1 || width < 1) {
      const least = smallest(config);
      throw new RangeError(
        `Cannot halve images of ${data[0]} x ${
          data[1]
        }: expected at least ${least} x ${least} for ${channels.length} ` +
          `convolutions with kernels of ${kernel} x ${kernel}, found ${height} x ${width} behind convolution ${levels.length}`,
      );
    }
    levels.push([height, width, outputs]);
  }
  return levels;
}

/** The shape of a layer that reads images. */
export function imageLayer([height, width, channels]: Images, kernel: number, outputs: number): ParameterShape {
  return convShape({ height, width, channels, kernel }, outputs);
}

/** The shapes of {@linkcode halvings}: encoder.0 ... */
export function halvingShapes(config: ConvStackConfig, data: Images): Shapes {
  const levels = pyramid(config, data);
  return Object.fromEntries(
    config.channels.map((outputs, i) => [`encoder.${i}`, imageLayer(levels[i], config.kernel, outputs)]),
  );
}

/**
 * The shapes of {@linkcode doublings}: decoder.(last) ... decoder.1, as deep as the encoder's layer of that number, and in place of
 * decoder.0 `likelihood`, with `scale` beside it where the decoder gives one.
 */
export function doublingShapes(config: ConvStackConfig, data: Images): Shapes {
  const levels = pyramid(config, data);
  const layer = (i: number) => imageLayer(levels[i + 1], config.kernel, levels[i][2]);
  return {
    ...Object.fromEntries(config.channels.map((_, i) => [`decoder.${i}`, layer(i)] as const).slice(1).toReversed()),
    // A vector stays what it is; what the decoder gives is given by a layer of images.
    ...Object.fromEntries(
      Object.entries(likelihoodShapes(config, 1, features(data)))
        .map(([name, shape]) => [name, shape.inputs ? layer(0) : shape]),
    ),
  };
}

/** The images that a layer reads. */
export function imagesOf(p: Parameters, name: string): { height: number; width: number; channels: number } {
  const { images } = p.get(name).shape;
  if (!images) throw new TypeError(`Cannot apply "${name}": expected a shape with images`);
  const [height, width, channels] = images;
  return { height, width, channels };
}

/**
 * Halves the images by each layer of the encoder.
 *
 * @param last The activation of the last layer.
 * @param flat Whether the last layer gives a row for each image, where its channels come in fours.
 */
export function halvings(
  t: Tape,
  p: Parameters,
  x: Variable,
  config: ConvStackConfig,
  { last, flat }: { readonly last: Activation; readonly flat: boolean },
): Variable {
  let h = x;
  config.channels.forEach((outputs, i) => {
    const name = `encoder.${i}`;
    const ends = i === config.channels.length - 1;
    h = conv2d(t, h, p.get(name), {
      ...imagesOf(p, name),
      ...strided(config),
      activation: ends ? last : config.activation,
      flat: flat && ends && outputs % 4 === 0,
    });
  });
  return h;
}

/**
 * p(x | z): doubles the smallest images, back to what the encoder's layers had, since halving an odd size rounds.
 *
 * @param h The smallest images, [N H W, C], or [N, H W C] where C is a multiple of four.
 * @param rows N
 */
export function doublings(
  t: Tape,
  p: Parameters,
  h: Variable,
  config: ConvStackConfig,
  rows: number,
): Likelihood {
  const double = (images: Variable, name: string, like: string, activation: Activation, flat = false) => {
    const { height, width } = imagesOf(p, like);
    const outputSize = [height, width] as const;
    return convTranspose2d(t, images, p.get(name), {
      ...imagesOf(p, name),
      ...strided(config),
      outputSize,
      activation,
      flat,
    });
  };
  for (let i = config.channels.length - 1; i > 0; i--) {
    h = double(h, `decoder.${i}`, `encoder.${i}`, config.activation);
  }
  const data = imagesOf(p, "encoder.0");
  const { height, width } = data;
  // The likelihood reads a row for each image.
  const flat = data.channels % 4 === 0 || (height % 2 === 0 && width % 2 === 0);
  const size = [rows, height * width * data.channels] as const;
  return likelihoodOf(t, p, config, size, (name, activation) => {
    return rowsOf(t, double(h, name, "encoder.0", activation, flat), rows);
  });
}

/** Images with a row for each. */
export function rowsOf(t: Tape, images: Variable, count: number): Variable {
  return images.rows === count ? images : reshape(t, images, images.rows * images.columns / count);
}
