/**
 * The linear VAE: the VAE whose optimum is known.
 *
 * @module
 */

import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import type { Model } from "../core/model.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { likelihoodFindings } from "./likelihood.ts";
import { mlpDecode, mlpEncode, mlpShapes } from "./mlp.ts";
import { likelihoodCaveats, likelihoodSettings, likelihoodSupport } from "./likelihood_settings.ts";
import { type MlpConfig, mlpSettings } from "./composed_settings.ts";

/** What shapes the linear VAE. */
export interface LinearVaeConfig {
  /** K */
  readonly latents: number;
  /** Gaussian, its σ learned or fixed. */
  readonly likelihood: "gaussian-shared" | "gaussian";
  /** σ where it is fixed; where it is learned, what it is at first. */
  readonly sigma: number;
}

/** The same as a VAE without hidden layers. */
function withoutHidden(config: LinearVaeConfig): MlpConfig {
  return {
    ...config,
    hidden: [],
    activation: "identity",
    towers: 1,
    covariance: "diagonal",
    outputActivation: "identity",
    logistics: 1,
    rank: 1,
  };
}

function encode(t: Tape, p: Parameters, x: Variable, config: LinearVaeConfig): Posterior {
  return mlpEncode(t, p, x, withoutHidden(config));
}

function decode(t: Tape, p: Parameters, z: Variable, config: LinearVaeConfig): Likelihood {
  return mlpDecode(t, p, z, withoutHidden(config));
}

/**
 * -ELBO = E_q(z|x)[-log N(x; W z + μ, σ² I)] + KL(q(z | x) ‖ N(0, I)), q(z | x) = N(V x + b, diag(..)), by gradient
 *
 * Its maximum is that of probabilistic PCA, which `ppca` gives in closed form: the exact posterior is linear too, and diagonal where
 * the columns of W are orthogonal, as the ELBO makes them.
 *
 * Source: Lucas, Tucker, Grosse and Norouzi, "Don't Blame the ELBO! A Linear VAE Perspective on Posterior Collapse", NeurIPS 2019.
 */
export const linearVae: Model<LinearVaeConfig> = {
  name: "linear_vae",
  summary: "VAE with a linear encoder and decoder: its optimum is that of ppca",
  source: "Lucas et al., NeurIPS 2019",
  settings: {
    latents: mlpSettings.latents,
    likelihood: {
      type: "choice",
      default: "gaussian-shared",
      choices: ["gaussian-shared", "gaussian"],
      help: "one learned deviation, or a fixed one",
    },
    sigma: likelihoodSettings.sigma,
  },
  parameters: (config, data) => mlpShapes(withoutHidden(config), data),
  objectives(t, p, { x }, config) {
    const { z, kl } = encode(t, p, x, config).draw();
    const nll = decode(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  encode,
  decode,
  latents: ({ latents }) => latents,
  support: (config) => likelihoodSupport(withoutHidden(config)),
  findings: (p, config) => likelihoodFindings(p, withoutHidden(config)),
  caveats: (config) => likelihoodCaveats(withoutHidden(config)),
};
