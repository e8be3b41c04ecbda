/**
 * The VAE with an inverse autoregressive flow.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E_q[-log p(x | z) + log q(z | x) - log p(z)], z = f_T ∘ ... ∘ f₁(z₀), z₀ ~ N(μ(x), diag σ²(x))
 *
 * fₜ(z)ᵢ = gᵢ zᵢ + (1 - gᵢ) mᵢ, a gate g and a mean m of z₁ ... zᵢ₋₁ and of what the encoder says of x; log q(z | x) = log q(z₀ | x) - Σₜ Σᵢ
 * log gₜᵢ. So q(z | x) may be bent where a Gaussian is not, and the bound is tighter.
 *
 * Source: Kingma et al., "Improving Variational Inference with Inverse Autoregressive Flow", arXiv:1606.04934, algorithm 1.
 */
export const iafVae: Model<ComposedConfig> = composed({
  name: "iaf_vae",
  summary: "VAE whose posterior passes through an inverse autoregressive flow",
  source: "Kingma et al., arXiv:1606.04934, algorithm 1",
  own: ["flowLayers", "flowHidden", "flowContext", "hidden", "latents", "activation", "likelihood"],
  defaults: { flow: "iaf" },
});
