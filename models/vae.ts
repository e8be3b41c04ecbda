/**
 * The Variational Auto-Encoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { constant } from "../core/schedule.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/**
 * -ELBO = E_q(z|x)[-log p(x | z)] + KL(q(z | x) ‖ N(0, I)), the expectation by one draw of z
 *
 * Source: Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114, equation 10.
 */
export const vae: Model<MlpConfig> = {
  name: "vae",
  summary: "Variational Auto-Encoder: Gaussian posterior, likelihood of choice",
  source: "Kingma and Welling, arXiv:1312.6114, equation 10",
  settings: mlpSettings,
  parameters: mlpShapes,
  objectives(t, p, { x }, config) {
    const { z, kl } = mlpEncode(t, p, x, config).draw();
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
