/**
 * The model of DARLA: a β-VAE that sees by a denoising autoencoder.
 *
 * @module
 */

import type { FoundTensors } from "../core/graph/parameters.ts";
import type { Model } from "../core/model.ts";
import { dae } from "../models/ae.ts";
import type { AutoencoderConfig } from "../models/autoencoder.ts";
import { betaVae } from "../models/beta_vae.ts";
import { comparedByFeatures } from "../models/features.ts";
import { configure } from "../core/settings.ts";
import type { ComposedConfig } from "../models/composed_settings.ts";

/** The denoising autoencoder's configuration. */
export const daeConfig: AutoencoderConfig = configure(dae.settings, {
  hidden: [256],
  latents: 64,
  activation: "relu",
  likelihood: "gaussian",
  sigma: Math.SQRT1_2,
  outputActivation: "sigmoid",
  noise: "masking",
  noiseAmount: 0.25,
}, "dae");

/** The model, with the weights that its features have by the seed of a training; one that is opened from a checkpoint needs none. */
export function darlaVae(tensors: (seed: number) => Promise<FoundTensors>): Model<ComposedConfig> {
  return comparedByFeatures(
    betaVae,
    {
      name: "darla_vae",
      summary: "β-VAE whose reconstructions are compared by the features of a denoising autoencoder",
      source: "Higgins et al., arXiv:1707.08475, equation 4",
    },
    { model: dae, config: daeConfig, tensors },
  );
}

const opened: Model<ComposedConfig> = darlaVae(() =>
  Promise.reject(
    new Error('Cannot train "darla_vae" by itself: expected the experiment "darla", which trains its features'),
  )
);

export default opened;
