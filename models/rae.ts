/**
 * The regularized autoencoder: a VAE's smoothness without its noise.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { autoencoder, type AutoencoderConfig } from "./autoencoder.ts";

/**
 * loss = -log p(x | z) + β/2 ‖z‖² + λ R, z = f(x), R = Σ w² over the decoder's weights (`l2`) or ½ ‖∂μ/∂z‖² of the decoded mean (`gradient`)
 *
 * `codePenaltyWeight` is β and `decoderPenaltyWeight` λ. The squared norm of the Jacobian is estimated by one random direction for each datum and
 * differences of the decoder along it. Samples are decoded from a density that is fitted to the training rows' encodings:
 * `sample --prior gmm`.
 *
 * Source: Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv:1903.12436, equations 9 to 12 and section 4.
 */
export const rae: Model<AutoencoderConfig> = autoencoder({
  name: "rae",
  summary: "Regularized autoencoder: small codes, a smooth decoder, a prior fitted later",
  source: "Ghosh et al., arXiv:1903.12436, equations 9 to 12",
  own: ["codePenaltyWeight", "decoderPenalty", "decoderPenaltyWeight"],
  defaults: { codePenalty: "l2", codePenaltyWeight: 0.1, decoderPenalty: "l2", decoderPenaltyWeight: 1e-3 },
});
