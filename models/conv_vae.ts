/**
 * A VAE whose encoder and decoder are convolutional: every layer of the encoder halves the image, every layer of the decoder doubles it.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import type { DataShape, Model } from "../core/model.ts";
import { dense, stack, stackShapes } from "../core/ops/dense.ts";
import { reshape } from "../core/ops/reshape.ts";
import type { Parameters, Shapes } from "../core/parameters.ts";
import { constant } from "../core/schedule.ts";
import type { Tape, Variable } from "../core/tape.ts";
import {
  type ConvStackConfig,
  convStackSettings,
  doublings,
  doublingShapes,
  halvings,
  halvingShapes,
  pyramid,
  rowsOf,
} from "./conv_stack.ts";
import { likelihoodRemarks, likelihoodSettings, likelihoodSupport } from "./likelihood.ts";
import { mlpSettings } from "./mlp.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface ConvVaeConfig extends ConvStackConfig {
  /** Widths of the dense layers between the smallest image and the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
}

/** The encoder's layers; trunk, posterior, fan in dense layers; the decoder's. */
function shapes(config: ConvVaeConfig, data: DataShape): Shapes {
  const { hidden, latents } = config;
  const smallest = features(pyramid(config, data.shape).at(-1)!);
  return {
    ...halvingShapes(config, data.shape),
    ...stackShapes("trunk", [smallest, ...hidden]),
    posterior: { inputs: hidden.at(-1) ?? smallest, outputs: 2 * latents },
    ...stackShapes("fan", [latents, ...hidden.toReversed(), smallest]),
    ...doublingShapes(config, data.shape),
  };
}

/** q(z | x) */
function encode(t: Tape, p: Parameters, x: Variable, config: ConvVaeConfig): Posterior {
  const { hidden, activation } = config;
  // The dense layers read a row for each image.
  let h = rowsOf(t, halvings(t, p, x, config, { last: activation, flat: true }), x.rows);
  h = stack(t, h, p, "trunk", hidden.length, activation);
  return gaussianPosterior(t, dense(t, h, p.get("posterior")));
}

/** p(x | z) */
function decode(t: Tape, p: Parameters, z: Variable, config: ConvVaeConfig): Likelihood {
  const { channels, hidden, activation } = config;
  const smallest = channels.at(-1)!;
  const h = stack(t, z, p, "fan", hidden.length + 1, activation);
  // A row for each image can be read as it is if the channels come in fours.
  return doublings(t, p, smallest % 4 ? reshape(t, h, smallest) : h, config, z.rows);
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
    channels: convStackSettings.channels,
    kernel: convStackSettings.kernel,
    hidden: {
      ...mlpSettings.hidden,
      default: [256],
      help: "widths of the dense layers between images and latents; the decoder mirrors them",
    },
    latents: mlpSettings.latents,
    activation: convStackSettings.activation,
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
