/**
 * FactorVAE: a VAE that is penalized for the total correlation of its latents, as a discriminator sees it.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = -ELBO + γ TC(z), TC(z) = KL(q(z) ‖ Π_k q(z_k)) ≈ E_q(z)[log D(z) / (1 - D(z))]
 *
 * The discriminator D learns to tell z from z with every dimension taken of another row of the batch, by the cross-entropy of the two;
 * `penaltyWeight` is γ. At its best log D / (1 - D) is the ratio of the densities; until then, and where q(z) changes faster than D learns, TC
 * is underestimated. The paper has six hidden layers of 1000 units and the rate 1e-4, with Adam's β of 0.5 and 0.9, for 300,000 steps.
 *
 * Source: Kim and Mnih, "Disentangling by Factorising", arXiv:1802.05983, equations 2 and 3 and algorithm 2.
 */
export const factorVae: Model<ComposedConfig> = composed({
  name: "factor_vae",
  summary: "FactorVAE: the total correlation of the latents, estimated by a discriminator",
  source: "Kim and Mnih, arXiv:1802.05983, equation 2",
  own: [
    "penaltyWeight",
    "discriminatorHidden",
    "discriminatorRate",
    "hidden",
    "latents",
    "activation",
    "likelihood",
  ],
  defaults: { penalty: "factor", penaltyWeight: 10, discriminatorRate: 1e-3 },
});
