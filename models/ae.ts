/**
 * The plain and the denoising autoencoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { autoencoder, type AutoencoderConfig } from "./autoencoder.ts";

/**
 * loss = -log p(x | z), z = f(x)
 *
 * Source: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006.
 */
export const ae: Model<AutoencoderConfig> = autoencoder({
  name: "ae",
  summary: "Autoencoder: a code without noise and without a prior",
  source: "Hinton and Salakhutdinov, Science 313, 2006",
  own: [],
});

/**
 * loss = -log p(x | z), z = f(x̃), x̃ a corrupted x
 *
 * Source: Vincent et al., "Stacked Denoising Autoencoders", JMLR 11, 2010, section 2.3.
 */
export const dae: Model<AutoencoderConfig> = autoencoder({
  name: "dae",
  summary: "Denoising autoencoder: reconstructs data from a corrupted version",
  source: "Vincent et al., JMLR 11, 2010, section 2.3",
  own: ["noise", "noiseAmount"],
  defaults: { noise: "masking" },
});
