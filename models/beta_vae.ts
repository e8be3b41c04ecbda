/**
 * The β-VAE: a VAE whose KL term has a weight of its own, constant or scheduled.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E_q(z|x)[-log p(x | z)] + β KL(q(z | x) ‖ N(0, I))
 *
 * β > 1 presses the posterior towards the prior; the loss is then a looser bound on -log p(x) than the ELBO, which is reported with
 * weight 1 all the same. Warm-up raises the weight from 0 to β in a straight line; cyclic does so in the first half of every cycle.
 *
 * With free bits λ the KL of the loss is Σₖ max(λ, KLₖ) over the latent dimensions, reported as `freeBits`. With a capacity the loss is
 * E[-log p(x | z)] + β |KL - C|, C growing from 0, and the distance is reported as `capacity`. Both are of each datum, not of the mean
 * over a batch; `kl` and `elbo` stay those of the posterior.
 *
 * Source: Higgins et al., "beta-VAE", ICLR 2017, equation 4; Fu et al., NAACL 2019, for the cycles; Burgess et al.,
 * arXiv:1804.03599, equation 8, for the capacity; Kingma et al., arXiv:1606.04934, for the free bits.
 */
export const betaVae: Model<ComposedConfig> = composed({
  name: "beta_vae",
  summary: "β-VAE: the KL term weighted by β, constant, warming up or cyclic",
  source: "Higgins et al., ICLR 2017, equation 4",
  own: ["beta", "betaSchedule", "betaSteps", "freeBits", "capacity", "hidden", "latents", "activation", "likelihood"],
  defaults: { beta: 4 },
});
