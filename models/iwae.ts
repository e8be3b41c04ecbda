/**
 * The Importance Weighted Auto-Encoder.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { importanceBound } from "../core/ops/importance.ts";
import { constant } from "../core/schedule.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/** The VAE's configuration and the importance samples. */
export interface IwaeConfig extends MlpConfig {
  /** L (k in the paper), draws of z in the bound. */
  readonly samples: number;
  readonly gradient: "standard" | "doubly-reparameterized";
}

/**
 * loss = -E[log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x)], zₗ ~ q(z | x)
 *
 * The bound is reported as `bound`; `nll`, `kl` and `elbo` are those of single draws, which it does not minimise. With L = 1 it is
 * the VAE with a sampled KL. The doubly reparameterized gradient has the same expectation for the encoder, and less variance.
 *
 * Source: Burda et al., arXiv:1509.00519, equation 8; Tucker et al., arXiv:1810.04152, equation 8, for the other gradient.
 */
export const iwae: Model<IwaeConfig> = {
  name: "iwae",
  summary: "Importance Weighted Auto-Encoder: a tighter bound from several draws of z",
  source: "Burda et al., arXiv:1509.00519, equation 8",
  settings: {
    ...mlpSettings,
    samples: { type: "integer", default: 5, minimum: 1, maximum: 1000, help: "draws of z in the bound, k" },
    gradient: {
      type: "choice",
      default: "standard",
      choices: ["standard", "doubly-reparameterized"],
      help: "how the encoder's gradient is estimated",
    },
  },
  parameters: (config, data) => mlpShapes(config, data),
  objectives(t, p, { x }, config) {
    const divergence = config.gradient === "standard" ? "sampled" : "doubly";
    const { z, kl } = mlpEncode(t, p, x, config).draw({ samples: config.samples, divergence });
    const nll = mlpDecode(t, p, z, config).nll(x);
    return [{
      terms: [
        { name: "nll", value: nll, weight: constant(0) },
        { name: "kl", value: kl, weight: constant(0) },
        { name: "bound", value: importanceBound(t, nll, kl), weight: constant(1) },
      ],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks: (config) => likelihoodRemarks(config),
};
