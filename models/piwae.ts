/**
 * The partially importance-weighted autoencoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * decoder and prior: -log (1/L) Σₗ wₗ; encoder: -(1/M) Σₘ log (M/L) Σₗ wₘₗ, wₗ = p(x, zₗ) / q(zₗ | x)
 *
 * The decoder learns by the importance-weighted bound of all L draws, which is tighter, and the encoder by the mean of M bounds of L / M
 * draws each, whose gradient has less noise beside its mean. They are reported as `bound` and `encoderBound`. With M = 1 it is the IWAE.
 *
 * Source: Rainforth et al., "Tighter Variational Bounds are Not Necessarily Better", arXiv:1802.04537, section 5 (PIWAE).
 */
export const piwae: Model<ComposedConfig> = composed({
  name: "piwae",
  summary: "PIWAE: one importance-weighted bound for the decoder, several for the encoder",
  source: "Rainforth et al., arXiv:1802.04537, section 5",
  own: ["samples", "bounds", "hidden", "latents", "activation", "likelihood"],
  defaults: { objective: "piwae", samples: 8, bounds: 4 },
});
