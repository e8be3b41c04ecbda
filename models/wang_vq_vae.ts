/**
 * The VQ-VAE in Wang's setting.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { vectorQuantized, type VqVaeConfig } from "./vector_quantized.ts";

/**
 * loss = |x - μ(e)|² + 8 |sg(z) - e|² + 2 |z - sg(e)|², e the nearest of 10 codes of 2 numbers at each position, by Adam 1e-2
 *
 * Its loss is of means, over 784 pixels and over 7 x 7 x 2 numbers: mean |x - μ|² + α mean |sg(z) - e|² + β mean |z - sg(e)|² with α = 1 and
 * β = 0.25. 784 times that is the loss above, since 784 / 98 = 8. |x - μ|² is the Gaussian likelihood with σ² = ½.
 *
 * Source: Wang, "Variational Autoencoder", and its repository yinjjiew/Variational-Autoencoder.
 */
export const wangVqVae: Model<VqVaeConfig> = vectorQuantized({
  name: "wang_vq_vae",
  summary: "VQ-VAE with 10 codes of 2 numbers and squared error",
  source: 'Wang, "Variational Autoencoder"',
  defaults: {
    codes: 10,
    codeDimension: 2,
    codebookWeight: 8,
    commitment: 2,
    likelihood: "gaussian",
    sigma: Math.SQRT1_2,
  },
  training: { learningRate: 0.01 },
});
