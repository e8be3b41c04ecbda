/**
 * A VAE whose encoder and decoder are convolutional: every layer of the encoder halves the image, every layer of the decoder doubles it.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import type { DataShape, Model } from "../core/model.ts";
import type { Activation } from "../core/ops/activations.ts";
import { conv2d, convShape, convSize, convTranspose2d } from "../core/ops/conv2d.ts";
import { dense, stack, stackShapes } from "../core/ops/dense.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, Shapes } from "../core/parameters.ts";
import { constant } from "../core/schedule.ts";
import type { Tape, Variable } from "../core/tape.ts";
import {
  type LikelihoodConfig,
  likelihoodOf,
  likelihoodRemarks,
  likelihoodSettings,
  likelihoodShapes,
  likelihoodSupport,
} from "./likelihood.ts";
import { mlpSettings } from "./mlp.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface ConvVaeConfig extends LikelihoodConfig {
  /** Channels behind each halving of the image. */
  readonly channels: readonly number[];
  readonly kernel: number;
  /** Widths of the dense layers between the smallest image and the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  readonly activation: Activation;
}

type Images = readonly [height: number, width: number, channels: number];

const strided = ({ kernel }: ConvVaeConfig) => ({ kernel, stride: 2, padding: (kernel - 1) >> 1 });

/** The images behind each layer of the encoder, the data first: 28 x 28 x 1, 14 x 14 x 32, 7 x 7 x 64. */
function pyramid(config: ConvVaeConfig, data: Images): Images[] {
  const levels = [data];
  for (const channels of config.channels) {
    const [height, width] = levels.at(-1)!;
    levels.push([convSize(height, strided(config)), convSize(width, strided(config)), channels]);
  }
  return levels;
}

/**
 * encoder.0 ... ; trunk, posterior, fan in dense layers; decoder.(last) ... decoder.1, as deep as the encoder's layer of that number, and
 * in place of decoder.0 `likelihood`, with `scale` beside it where the decoder gives one.
 */
function shapes(config: ConvVaeConfig, data: DataShape): Shapes {
  const { kernel, hidden, latents } = config;
  const levels = pyramid(config, data.shape);
  const smallest = features(levels.at(-1)!);
  const layer = ([height, width, channels]: Images, outputs: number) =>
    convShape({ height, width, channels, kernel }, outputs);
  const pairs = levels.slice(1).map((coarse, i) => [levels[i], coarse] as const);
  return {
    ...Object.fromEntries(pairs.map(([fine, coarse], i) => [`encoder.${i}`, layer(fine, coarse[2])])),
    ...stackShapes("trunk", [smallest, ...hidden]),
    posterior: { inputs: hidden.at(-1) ?? smallest, outputs: 2 * latents },
    ...stackShapes("fan", [latents, ...hidden.toReversed(), smallest]),
    ...Object.fromEntries(
      pairs.map(([fine, coarse], i) => [`decoder.${i}`, layer(coarse, fine[2])] as const).slice(1).toReversed(),
    ),
    // A vector stays what it is; what the decoder gives is given by a layer of images.
    ...Object.fromEntries(
      Object.entries(likelihoodShapes(config, 1, features(data.shape)))
        .map(([name, shape]) => [name, shape.inputs ? layer(levels[1], levels[0][2]) : shape]),
    ),
  };
}

/** The images that a layer reads. */
function imagesOf(p: Parameters, name: string): { height: number; width: number; channels: number } {
  const { images } = p.get(name).shape;
  if (!images) throw new TypeError(`Cannot apply "${name}": expected a shape with images`);
  const [height, width, channels] = images;
  return { height, width, channels };
}

/** q(z | x) */
function encode(t: Tape, p: Parameters, x: Variable, config: ConvVaeConfig): Posterior {
  const { channels, hidden, activation } = config;
  let h = x;
  channels.forEach((outputs, i) => {
    // The dense layers read a row for each image.
    const flat = i === channels.length - 1 && outputs % 4 === 0;
    const name = `encoder.${i}`;
    h = conv2d(t, h, p.get(name), { ...imagesOf(p, name), ...strided(config), activation, flat });
  });
  h = stack(t, rowsOf(t, h, x.rows), p, "trunk", hidden.length, activation);
  return gaussianPosterior(t, dense(t, h, p.get("posterior")));
}

/** p(x | z) */
function decode(t: Tape, p: Parameters, z: Variable, config: ConvVaeConfig): Likelihood {
  const { channels, hidden, activation } = config;
  const smallest = channels.at(-1)!;
  let h = stack(t, z, p, "fan", hidden.length + 1, activation);
  // A row for each image can be read as it is if the channels come in fours.
  if (smallest % 4) h = reshape(t, h, smallest);
  /** Doubles the images: back to what the encoder's layer had, since halving an odd size rounds. */
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
  for (let i = channels.length - 1; i > 0; i--) h = double(h, `decoder.${i}`, `encoder.${i}`, activation);
  const data = imagesOf(p, "encoder.0");
  const { height, width } = data;
  // The likelihood reads a row for each image.
  const flat = data.channels % 4 === 0 || (height % 4 === 0 && width % 4 === 0);
  const size = [z.rows, height * width * data.channels] as const;
  return likelihoodOf(t, p, config, size, (name, activation) => {
    return rowsOf(t, double(h, name, "encoder.0", activation, flat), z.rows);
  });
}

/** Images with a row for each. */
function rowsOf(t: Tape, images: Variable, count: number): Variable {
  return images.rows === count ? images : reshape(t, images, images.rows * images.columns / count);
}

/**
 * -ELBO = E_q(z|x)[-log p(x | z)] + KL(q(z | x) ‖ N(0, I)), as of the VAE, with convolutions of stride 2 between image and latents
 *
 * For 28 x 28 x 1 and the defaults: encoder 14 x 14 x 32, 7 x 7 x 64; dense 3136 - 256 - 2 K; K - 256 - 3136; decoder 14 x 14 x 32 and
 * 28 x 28 x 1 by transposed convolutions. For 32 x 32 x 3 likewise 16 x 16 x 32 and 8 x 8 x 64. Any size will do: one that is odd is halved
 * to the nearest that the kernel gives, and doubled back to what it was.
 *
 * Source: Kingma and Welling, arXiv:1312.6114, equation 10; Radford et al., arXiv:1511.06434, for strided and transposed convolutions in
 * place of pooling.
 */
export const convVae: Model<ConvVaeConfig> = {
  name: "conv_vae",
  summary: "VAE with a convolutional encoder and decoder: Gaussian posterior, likelihood of choice",
  source: "Kingma and Welling, arXiv:1312.6114, equation 10; Radford et al., arXiv:1511.06434",
  settings: {
    channels: {
      type: "integers",
      default: [32, 64],
      minimum: 1,
      maximum: 512,
      help: "channels behind each halving of the image; the decoder mirrors them",
    },
    kernel: { type: "integer", default: 4, minimum: 2, maximum: 11, help: "rows and columns of a kernel" },
    hidden: {
      ...mlpSettings.hidden,
      default: [256],
      help: "widths of the dense layers between images and latents; the decoder mirrors them",
    },
    latents: mlpSettings.latents,
    activation: { ...mlpSettings.activation, default: "relu" },
    ...likelihoodSettings,
  },
  parameters: shapes,
  objectives(t, p, { x }, config) {
    const { z, kl } = encode(t, p, x, config).draw();
    const nll = decode(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  encode,
  decode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks: (config) => likelihoodRemarks(config),
};
