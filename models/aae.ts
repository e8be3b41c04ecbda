/**
 * The adversarial autoencoder, which is the Wasserstein autoencoder with an adversary: WAE-GAN.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E[-log p(x | z)] + λ E[-log (1 - D(z))], z ~ q(z | x)
 *
 * The discriminator D learns to tell z from draws of the prior, by the cross-entropy of the two, and the encoder not to be told from
 * them. `penaltyWeight` is λ. The encoder is Gaussian, one of the three that the paper has; nothing holds its variances, which fall. Nor does
 * anything bound -log p(x): `elbo` is reported, and no aim.
 *
 * Source: Makhzani et al., "Adversarial Autoencoders", arXiv:1511.05644, section 2; Tolstikhin et al., "Wasserstein Auto-Encoders",
 * arXiv:1711.01558, algorithm 1.
 */
export const aae: Model<ComposedConfig> = composed({
  name: "aae",
  summary: "Adversarial autoencoder (WAE-GAN): a discriminator in place of the KL",
  source: "Makhzani et al., arXiv:1511.05644, section 2",
  own: [
    "penaltyWeight",
    "discriminatorHidden",
    "discriminatorRate",
    "hidden",
    "latents",
    "activation",
    "likelihood",
  ],
  defaults: { penalty: "adversarial", penaltyWeight: 10, beta: 0 },
});
