/**
 * The VAE with several stochastic layers.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E_q[-log p(x | z₁) + Σ_l log q(z_l | z_{l-1}) - log p(z_l | z_{l+1})], z₀ = x and p(z_L) = N(0, I)
 *
 * Every level is inferred from the one below and generated from the one above, each by hidden layers of its own. The KL of the top is in
 * closed form; those below are estimated by the draw, since z_{l+1} depends on z_l. Defaults: the paper's two layers of 100 and 50, and
 * batch normalization, which it does not have: without, thousands of steps learn little (Sønderby et al., arXiv:1602.02282).
 *
 * Source: Burda et al., "Importance Weighted Autoencoders", arXiv:1509.00519, equations 2 to 4 and section 5; with `--objective iwae`, its
 * bound.
 */
export const hierarchicalVae: Model<ComposedConfig> = composed({
  name: "hierarchical_vae",
  summary: "VAE with several levels of latents, each inferred from the one below",
  source: "Burda et al., arXiv:1509.00519, section 5",
  own: ["lowerLatents", "latents", "hidden", "activation", "normalization", "objective", "samples", "likelihood"],
  defaults: {
    ...{ hierarchy: "plain", lowerLatents: [100], latents: 50, hidden: [200, 200, 100, 100] },
    normalization: "batch",
  },
});
