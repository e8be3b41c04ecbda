/**
 * The sparse autoencoder: of many codes few are used for any one datum.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { autoencoder, type AutoencoderConfig } from "./autoencoder.ts";

/**
 * loss = -log p(x | z) + β Σ_k KL(ρ ‖ r_k), z = sigmoid(f(x)), r_k the mean of z_k over the batch
 *
 * KL(ρ ‖ r) = ρ log (ρ / r) + (1 - ρ) log ((1 - ρ) / (1 - r)); `rate` is ρ and `codePenaltyWeight` β. The means are of a batch where the notes
 * have all data. With `--code-penalty l1` the penalty is Σ_k |z_k|, of any code.
 *
 * Source: Ng, "Sparse autoencoder", CS294A lecture notes, 2011, section 3.
 */
export const sparseAe: Model<AutoencoderConfig> = autoencoder({
  name: "sparse_ae",
  summary: "Sparse autoencoder: codes that are mostly off, by their mean rate or by L1",
  source: "Ng, CS294A lecture notes, 2011, section 3",
  own: ["codePenalty", "codePenaltyWeight", "rate", "codeActivation"],
  defaults: { codePenalty: "rate", codePenaltyWeight: 3, codeActivation: "sigmoid", latents: 100 },
});
