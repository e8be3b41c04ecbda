/**
 * The DIP-VAE: a VAE whose latents are uncorrelated over the data.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = -ELBO + λ_od Σ_{k ≠ l} C_kl² + λ_d Σ_k (C_kk - 1)²
 *
 * C is estimated by a batch. With `dip-1` it is Cov[μ(x)], the covariance of the posterior means; with `dip-2` it is
 * E[Σ(x)] + Cov[μ(x)], that of z. Both sums are reported, as `offDiagonal` and `diagonal`. λ_od is `penaltyWeight`, λ_d `diagonalWeight`;
 * the paper takes λ_d = 10 λ_od for the first and λ_d = λ_od for the second.
 *
 * Source: Kumar et al., "Variational Inference of Disentangled Latent Concepts from Unlabeled Observations", arXiv:1711.00848,
 * equations 6 and 7.
 */
export const dipVae: Model<ComposedConfig> = composed({
  name: "dip_vae",
  summary: "DIP-VAE I and II: the covariance of the latents held at the identity",
  source: "Kumar et al., arXiv:1711.00848, equations 6 and 7",
  own: ["penalty", "penaltyWeight", "diagonalWeight", "hidden", "latents", "activation", "likelihood"],
  defaults: { penalty: "dip-1", penaltyWeight: 10, diagonalWeight: 100 },
});
