/**
 * The Variational Auto-Encoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { constant } from "../core/schedule.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/** The encoder's and decoder's configuration, and how the expectation is estimated. */
export interface VaeConfig extends MlpConfig {
  /** L, draws of z for each datum. */
  readonly samples: number;
  readonly divergence: "analytic" | "sampled";
}

/**
 * -ELBO = E_q(z|x)[-log p(x | z)] + KL(q(z | x) ‖ N(0, I)), the expectation by the mean over L draws of z
 *
 * Source: Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114, equation 10; with a sampled divergence, equation 8.
 */
export const vae: Model<VaeConfig> = {
  name: "vae",
  summary: "Variational Auto-Encoder: Gaussian posterior, likelihood of choice",
  source: "Kingma and Welling, arXiv:1312.6114, equation 10",
  settings: {
    ...mlpSettings,
    samples: { type: "integer", default: 1, minimum: 1, maximum: 1000, help: "draws of z for each datum, L" },
    divergence: {
      type: "choice",
      default: "analytic",
      choices: ["analytic", "sampled"],
      help: "the KL in closed form, or estimated by the same draws",
    },
  },
  parameters: (config, data) => mlpShapes(config, data),
  objectives(t, p, { x }, config) {
    const { z, kl } = mlpEncode(t, p, x, config).draw(config);
    const nll = mlpDecode(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks: (config) => likelihoodRemarks(config),
};
