/**
 * The VAE-GAN: a VAE whose reconstructions are compared by what a discriminator makes of them.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * encoder: R + KL; decoder: γ R - ½ (log (1 - D(x̃)) + log (1 - D(x_p))); R = ½ ‖f(x) - f(x̃)‖², x̃ = E[x | z], x_p = E[x | z_p], z_p ~ p(z)
 *
 * The discriminator D learns to tell x̃ and x_p from x by the cross-entropy, and f is its last hidden layer: R is -log p(f(x) | z), a Gaussian of
 * variance 1, but for a constant. `reconstructionWeight` is γ. `nll` and `elbo` are those of the pixels' likelihood, which nothing here
 * minimises. So they can be compared with a VAE's, and the ratio that a discriminator estimates is in neither.
 *
 * Source: Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", arXiv:1512.09300, algorithm 1; Rosca et al.,
 * "Distribution Matching in Variational Inference", arXiv:1802.06847, for what its likelihood is.
 */
export const vaeGan: Model<ComposedConfig> = composed({
  name: "vae_gan",
  summary: "VAE-GAN: reconstructions compared by the features of a discriminator of data",
  source: "Larsen et al., arXiv:1512.09300, algorithm 1",
  own: [
    "reconstructionWeight",
    "discriminatorHidden",
    "discriminatorRate",
    "hidden",
    "latents",
    "activation",
    "likelihood",
  ],
  defaults: { reconstruction: "features", likelihood: "gaussian-shared", sigma: 0.3, outputActivation: "sigmoid" },
});
