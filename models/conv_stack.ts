/**
 * What convolutional models share: an encoder whose every layer halves the image, and a decoder whose every layer doubles it back, up to
 * the likelihood. It is no model.
 *
 * @module
 */

import type { Likelihood } from "../core/distributions/distribution.ts";
import { features } from "../core/dataset.ts";
import type { Activation } from "../core/ops/activations.ts";
import {
  chain,
  conv,
  convTranspose,
  hidden,
  type HiddenOptions,
  type ImageShape,
  type Layer,
  residualBlocks,
  type ShapedLayer,
} from "../core/nn/mod.ts";
import { convSize, convTransposeSize } from "../core/ops/images.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { likelihoodOf, likelihoodShapes } from "./likelihood.ts";
import type { ConvStackConfig } from "./composed_settings.ts";

/** The settings of the layers, and what else hidden layers have. */
export type LayersConfig = ConvStackConfig & Omit<HiddenOptions, "activation">;

const strided = ({ kernel }: ConvStackConfig) => ({ kernel, stride: 2, padding: (kernel - 1) >> 1 });

/** The least height and width of which every layer leaves a pixel: H = (H' - 1) stride - 2 padding + K, from 1 on. */
const smallest = (config: ConvStackConfig) =>
  config.channels.reduce((size) => Math.max(1, convTransposeSize(size, strided(config))), 1);

/**
 * The images behind each layer of the encoder, the data first: 28 x 28 x 1, 14 x 14 x 32, 7 x 7 x 64.
 *
 * @throws {RangeError} If there is no layer, or the images are too small for one.
 */
export function pyramid(config: ConvStackConfig, data: ImageShape): ImageShape[] {
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

/** The residual blocks on the images of a level, by convolutions of 3 x 3. */
export function blocks(name: string, images: ImageShape, config: LayersConfig): Layer {
  const weights = (each: string, activation: Activation) =>
    conv(each, images, images[2], { kernel: 3, padding: 1, activation });
  return residualBlocks(name, images, weights, config);
}

/** Some layers of the encoder, which halve images. */
export interface Halvings {
  /** Of the first and behind the last one, by number. Default: all. */
  readonly between?: readonly [from: number, to: number];
  /** Channels of the images that the first one reads, where they are not those of the encoder's layer before it. */
  readonly channels?: number;
  /** The activation of the last layer. */
  readonly last: Activation;
  /** Whether the last layer gives a row for each image, where its channels come in fours and no block follows. */
  readonly flat: boolean;
  /** What their names begin with. Default: "encoder". */
  readonly of?: string;
}

/** Halves the images by each layer of the encoder: encoder.0 ..., each with its residual blocks. */
export function downsample(
  config: LayersConfig,
  data: ImageShape,
  { between: [from, to] = [0, config.channels.length], channels, last, flat, of = "encoder" }: Halvings,
): Layer {
  const levels = pyramid(config, data);
  return chain(
    ...config.channels.slice(from, to).flatMap((outputs, n) => {
      const i = from + n;
      const name = `${of}.${i}`;
      const ends = i === to - 1;
      const inRows = flat && ends && outputs % 4 === 0 && !config.residual;
      const [height, width, before] = levels[i];
      const input = [height, width, n === 0 ? channels ?? before : before] as const;
      const halve = (each: string, activation: Activation) =>
        conv(each, input, outputs, { ...strided(config), activation, flat: inRows });
      return [
        hidden(name, halve, { ...config, activation: ends ? last : config.activation }),
        blocks(name, levels[i + 1], config),
      ];
    }),
  );
}

/** p(x | z) of the smallest images. */
export interface Doublings {
  readonly shapes: Shapes;
  /**
   * Records p(x | z).
   *
   * @param h The smallest images, [N H W, C], or [N, H W C] where C is a multiple of four.
   * @param rows N
   */
  decode(t: Tape, p: Parameters, h: Variable, rows: number): Likelihood;
}

/** The layer that doubles images back to what the encoder's layer i had, since halving an odd size rounds. */
function double(
  config: LayersConfig,
  levels: readonly ImageShape[],
  i: number,
): (name: string, activation: Activation, flat?: boolean, channels?: number) => ShapedLayer {
  const [height, width, outputs] = levels[i];
  return (name, activation, flat = false, channels = outputs) => {
    const options = { ...strided(config), outputSize: [height, width] as const, activation, flat };
    return convTranspose(name, levels[i + 1], channels, options);
  };
}

/** Doubles images `from` the encoder's layers of that number to those of `to`: decoder.(from - 1) ... decoder.(to), with residual blocks. */
export function doublings(config: LayersConfig, data: ImageShape, from: number, to: number): Layer {
  const levels = pyramid(config, data);
  const inner = config.channels.map((_, i) => i).slice(to, from).toReversed();
  return chain(...inner.flatMap((i) => [
    hidden(`decoder.${i}`, double(config, levels, i), config),
    blocks(`decoder.${i}`, levels[i], config),
  ]));
}

/**
 * Doubles images, by default the smallest, back to the data: decoder.(last) ... decoder.1, as deep as the encoder's layer of that number, each
 * with its residual blocks, and in place of decoder.0 `likelihood`, with `scale` beside it where the decoder gives one.
 *
 * @param from The number of the encoder's layers whose images they are, where they have been through residual blocks.
 */
export function upsample(config: LayersConfig, data: ImageShape, from?: number): Doublings {
  const levels = pyramid(config, data);
  const [height, width, channels] = data;
  const smallest = config.channels.length;
  const layers = chain(
    ...from === undefined ? [blocks(`decoder.${smallest}`, levels[smallest], config)] : [],
    doublings(config, data, from ?? smallest, 1),
  );
  const head = (name: string, activation: Activation, outputs: number) => {
    // The likelihood reads a row for each image.
    const flat = outputs % 4 === 0 || (height % 2 === 0 && width % 2 === 0);
    return double(config, levels, 0)(name, activation, flat, outputs);
  };
  const given = likelihoodShapes(config, 1, features(data), channels);
  return {
    shapes: {
      ...layers.shapes,
      // A vector stays what it is; what the decoder gives is given by a layer of images.
      ...Object.fromEntries(
        Object.entries(given).map(([name, shape]) => [
          name,
          shape.inputs ? head(name, "identity", shape.outputs / (height * width)).shapes[name] : shape,
        ]),
      ),
    },
    decode(t, p, h, rows) {
      const images = layers.apply(t, p, h);
      return likelihoodOf(t, p, config, [rows, features(data)], (name, activation) => {
        return rowsOf(t, head(name, activation, p.get(name).shape.outputs).apply(t, p, images), rows);
      });
    },
  };
}

/** The shape of the data, of a model's parameters. */
export function dataImages(p: Parameters): ImageShape {
  const { images } = p.get("encoder.0").shape;
  if (!images) throw new TypeError('Cannot apply "encoder.0": expected a shape with images');
  return images;
}

/** Images with a row for each. */
export function rowsOf(t: Tape, images: Variable, count: number): Variable {
  return images.rows === count ? images : reshape(t, images, images.rows * images.columns / count);
}
