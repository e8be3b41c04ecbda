/**
 * The β-VAE: a VAE whose KL term has a weight of its own, constant or scheduled.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import type { Schedule } from "../core/schedule.ts";
import { constant } from "../core/schedule.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/** The VAE's configuration and the weight of its KL term. */
export interface BetaVaeConfig extends MlpConfig {
  readonly beta: number;
  readonly betaSchedule: "constant" | "warm-up" | "cyclic";
  /** Steps of the warm-up, or of one cycle. */
  readonly betaSteps: number;
}

function weight({ beta, betaSchedule, betaSteps }: BetaVaeConfig): Schedule {
  switch (betaSchedule) {
    case "constant":
      return constant(beta);
    case "warm-up":
      return { kind: "linear", from: 0, to: beta, steps: betaSteps };
    case "cyclic":
      return { kind: "cyclic", from: 0, to: beta, steps: betaSteps, rising: 0.5 };
  }
}

/**
 * loss = E_q(z|x)[-log p(x | z)] + β KL(q(z | x) ‖ N(0, I))
 *
 * β > 1 presses the posterior towards the prior; the loss is then a looser bound on -log p(x) than the ELBO, which is reported with
 * weight 1 all the same. Warm-up raises the weight from 0 to β in a straight line; cyclic does so in the first half of every cycle.
 *
 * Source: Higgins et al., "beta-VAE", ICLR 2017, equation 4; Fu et al., NAACL 2019, for the cycles.
 */
export const betaVae: Model<BetaVaeConfig> = {
  name: "beta_vae",
  summary: "β-VAE: the KL term weighted by β, constant, warming up or cyclic",
  source: "Higgins et al., ICLR 2017, equation 4",
  settings: {
    ...mlpSettings,
    beta: { type: "number", default: 4, minimum: 0, help: "weight of the KL term" },
    betaSchedule: {
      type: "choice",
      default: "constant",
      choices: ["constant", "warm-up", "cyclic"],
      help: "how the weight comes to β",
    },
    betaSteps: { type: "integer", default: 5000, minimum: 1, help: "steps of the warm-up or of one cycle" },
  },
  parameters: mlpShapes,
  objectives(t, p, { x }, config) {
    const { z, kl } = mlpEncode(t, p, x, config).draw();
    const nll = mlpDecode(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: weight(config) }],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks(config) {
    const { beta } = config;
    const bound = beta > 1 ? "a looser bound than" : "no bound as";
    return [
      ...(beta === 1
        ? []
        : [`effective β = ${beta}: the loss is ${bound} the ELBO is; elbo is reported with weight 1`]),
      ...likelihoodRemarks(config, beta),
    ];
  },
};
