/**
 * A VAE whose encoder and decoder are convolutional: every layer of the encoder halves the image, every layer of the decoder doubles it.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

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
export const convVae: Model<ComposedConfig> = composed({
  name: "conv_vae",
  summary: "VAE with a convolutional encoder and decoder, and a likelihood of choice",
  source: "Kingma and Welling, arXiv:1312.6114, equation 10; Radford et al., arXiv:1511.06434",
  own: ["channels", "kernel", "hidden", "latents", "activation", "likelihood", "sigma", "outputActivation"],
  defaults: { encoder: "conv", hidden: [256], activation: "relu" },
});
