/**
 * The Variational Auto-Encoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * -ELBO = E_q(z|x)[-log p(x | z)] + KL(q(z | x) ‖ N(0, I)), the expectation by the mean over L draws of z
 *
 * Source: Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114, equation 10; with a sampled divergence, equation 8.
 */
export const vae: Model<ComposedConfig> = composed({
  name: "vae",
  summary: "Variational Auto-Encoder: Gaussian posterior, likelihood of choice",
  source: "Kingma and Welling, arXiv:1312.6114, equation 10",
  own: [
    "hidden",
    "latents",
    "activation",
    "towers",
    "covariance",
    "likelihood",
    "sigma",
    "outputActivation",
    "samples",
  ],
});
