/**
 * The InfoVAE with the maximum mean discrepancy as its divergence: the MMD-VAE.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E[-log p(x | z)] + (1 - α) KL(q(z | x) ‖ p(z)) + (α + λ - 1) MMD²(q(z), p(z))
 *
 * `beta` is 1 - α and `penaltyWeight` is α + λ - 1: here α = 1, so that only the aggregate posterior q(z) is held to the prior, and
 * λ = 1000. A batch of z and as many draws of the prior estimate the discrepancy, without bias.
 *
 * Source: Zhao et al., "InfoVAE: Balancing Learning and Inference in Variational Autoencoders", arXiv:1706.02262, equation 6 and
 * section 3.2.
 */
export const infoVae: Model<ComposedConfig> = composed({
  name: "info_vae",
  summary: "InfoVAE (MMD-VAE): a maximum mean discrepancy holds z to the prior",
  source: "Zhao et al., arXiv:1706.02262, equation 6",
  own: ["beta", "penaltyWeight", "mmdKernel", "bandwidth", "hidden", "latents", "activation", "likelihood"],
  defaults: { penalty: "mmd", mmdKernel: "rbf", penaltyWeight: 1000, beta: 0 },
});
