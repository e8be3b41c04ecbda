/**
 * The Vector Quantised Variational AutoEncoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { vectorQuantized, type VqVaeConfig } from "./vector_quantized.ts";

/**
 * loss = -log p(x | e) + |sg(z) - e|² + 0.25 |z - sg(e)|², e the nearest of 512 codes at each position
 *
 * Source: van den Oord et al., "Neural Discrete Representation Learning", arXiv:1711.00937, equation 3 and appendix A.1.
 */
export const vqVae: Model<VqVaeConfig> = vectorQuantized({
  name: "vq_vae",
  summary: "VQ-VAE: an image of discrete codes with a learned prior over them",
  source: "van den Oord et al., arXiv:1711.00937, equation 3",
});
