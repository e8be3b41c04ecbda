/**
 * The β-TCVAE: a VAE that is penalized for the total correlation of its latents, not for all of its KL.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E[-log p(x | z)] + I(z; x) + β TC(z) + Σ_k KL(q(z_k) ‖ N(0, 1)) = -ELBO + (β - 1) TC(z)
 *
 * q(z) is the aggregate posterior, the mean of q(z | x) over the data, and TC(z) = KL(q(z) ‖ Π_k q(z_k)). The three parts of the KL are
 * reported as `mutualInformation`, `totalCorrelation` and `dimensionWiseKl`; `penaltyWeight` is β - 1, and `beta` the weight of the whole
 * KL, 1 in the paper. `estimator` says how a batch estimates q(z).
 *
 * Source: Chen et al., "Isolating Sources of Disentanglement in Variational Autoencoders", arXiv:1802.04942, equations 2 to 4 and
 * appendix C.
 */
export const betaTcvae: Model<ComposedConfig> = composed({
  name: "beta_tcvae",
  summary: "β-TCVAE: the total correlation of the latents weighted by β",
  source: "Chen et al., arXiv:1802.04942, equation 4",
  own: ["penaltyWeight", "estimator", "hidden", "latents", "activation", "likelihood"],
  defaults: { penalty: "total-correlation", penaltyWeight: 5 },
});
