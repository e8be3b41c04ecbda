/**
 * The Importance Weighted Auto-Encoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = -E[log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x)], zₗ ~ q(z | x)
 *
 * The bound is reported as `bound`; `nll`, `kl` and `elbo` are those of single draws, which it does not minimise. With L = 1 it is
 * the VAE with a sampled KL. The doubly reparameterized gradient has the same expectation for the encoder, and less variance.
 *
 * Source: Burda et al., arXiv:1509.00519, equation 8; Tucker et al., arXiv:1810.04152, equation 8, for the other gradient.
 */
export const iwae: Model<ComposedConfig> = composed({
  name: "iwae",
  summary: "Importance Weighted Auto-Encoder: a tighter bound from several draws of z",
  source: "Burda et al., arXiv:1509.00519, equation 8",
  own: ["samples", "gradient", "hidden", "latents", "activation", "likelihood"],
  defaults: { objective: "iwae", samples: 5 },
});
