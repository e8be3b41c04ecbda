/**
 * The Wasserstein autoencoder with the maximum mean discrepancy: WAE-MMD.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * loss = E[c(x, G(z))] + λ MMD²(q(z), p(z)), z ~ q(z | x), with the inverse multiquadratic kernel C / (C + ‖a - b‖²), C = 2 K
 *
 * The cost c is -log p(x | z): with `--likelihood gaussian --sigma 0.7071` the squared error, but for a constant. The encoder is Gaussian, as the
 * paper's algorithm allows; nothing holds its variances, which fall. Nor does anything bound -log p(x): `elbo` is reported, and no aim.
 *
 * Source: Tolstikhin et al., "Wasserstein Auto-Encoders", arXiv:1711.01558, equation 4 and algorithm 2.
 */
export const wae: Model<ComposedConfig> = composed({
  name: "wae",
  summary: "Wasserstein autoencoder (WAE-MMD): no KL, z as a whole held to the prior",
  source: "Tolstikhin et al., arXiv:1711.01558, algorithm 2",
  own: ["penaltyWeight", "mmdKernel", "bandwidth", "hidden", "latents", "activation", "likelihood"],
  defaults: { penalty: "mmd", penaltyWeight: 100, beta: 0 },
});
