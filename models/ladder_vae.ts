/**
 * The Ladder VAE.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E_q[-log p(x | z₁) + Σ_l KL(q(z_l | z_{l+1}, x) ‖ p(z_l | z_{l+1}))], q(z_l | z_{l+1}, x) ∝ N(z_l; μ̂_l(x), σ̂_l²(x)) p(z_l | z_{l+1})
 *
 * Inference goes up without draws and then down with them, the way that generation goes: what was found in the data and what the level above
 * expects are weighted by their precisions. Defaults: the paper's five levels, its batch normalization and leaky ReLU, one hidden layer for
 * each level in place of two.
 *
 * Source: Sønderby et al., "Ladder Variational Autoencoders", arXiv:1602.02282, equations 11 to 19.
 */
export const ladderVae: Model<ComposedConfig> = composed({
  name: "ladder_vae",
  summary: "Ladder VAE: levels of latents, inferred from the data and from the level above",
  source: "Sønderby et al., arXiv:1602.02282, equations 11 to 19",
  own: [
    ...["lowerLatents", "latents", "hidden", "activation", "normalization"] as const,
    ...["betaSchedule", "betaSteps", "levelSteps", "freeBits", "likelihood"] as const,
  ],
  defaults: {
    hierarchy: "ladder",
    lowerLatents: [64, 32, 16, 8],
    latents: 4,
    hidden: [512, 256, 128, 64, 32],
    activation: "leaky_relu",
    normalization: "batch",
    betaSchedule: "warm-up",
  },
});
