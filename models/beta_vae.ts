/**
 * The β-VAE: a VAE whose KL term has a weight of its own, constant or scheduled.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { absoluteDifference } from "../core/ops/absolute_difference.ts";
import type { Schedule } from "../core/schedule.ts";
import { constant } from "../core/schedule.ts";
import type { Term } from "../core/tape.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/** The VAE's configuration and the weight of its KL term. */
export interface BetaVaeConfig extends MlpConfig {
  readonly beta: number;
  readonly betaSchedule: "constant" | "warm-up" | "cyclic";
  /** Steps of the warm-up, of one cycle, or of the capacity's growth. */
  readonly betaSteps: number;
  /** λ, free bits of each latent dimension, nats per datum. */
  readonly freeBits: number;
  /** C, nats per datum that the KL is held at, growing from 0; 0 for none. */
  readonly capacity: number;
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
 * With free bits λ the KL of the loss is Σₖ max(λ, KLₖ) over the latent dimensions, reported as `freeBits`. With a capacity the loss is
 * E[-log p(x | z)] + β |KL - C|, C growing from 0, and the distance is reported as `capacity`. Both are of each datum, not of the mean
 * over a batch; `kl` and `elbo` stay those of the posterior.
 *
 * Source: Higgins et al., "beta-VAE", ICLR 2017, equation 4; Fu et al., NAACL 2019, for the cycles; Burgess et al.,
 * arXiv:1804.03599, equation 8, for the capacity; Kingma et al., arXiv:1606.04934, for the free bits.
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
    betaSteps: {
      type: "integer",
      default: 5000,
      minimum: 1,
      help: "steps of the warm-up, of one cycle, or of the capacity's growth",
    },
    freeBits: {
      type: "number",
      default: 0,
      minimum: 0,
      help: "nats of KL per datum that each latent dimension has for free",
    },
    capacity: {
      type: "number",
      default: 0,
      minimum: 0,
      help: "hold the KL at this many nats per datum, growing from 0: beta * |KL - C|; 0 for none",
    },
  },
  parameters: (config, data) => mlpShapes(config, data),
  objectives(t, p, { x }, config) {
    const { capacity, freeBits, betaSteps } = config;
    const { z, kl, floored } = mlpEncode(t, p, x, config).draw({ freeBits });
    const nll = mlpDecode(t, p, z, config).nll(x);
    let minimised: Pick<Term, "name" | "value"> = floored
      ? { name: "freeBits", value: floored }
      : { name: "kl", value: kl };
    if (capacity > 0) {
      const target = { kind: "linear", from: 0, to: capacity, steps: betaSteps } as const;
      minimised = { name: "capacity", value: absoluteDifference(t, minimised.value, target) };
    }
    // Where something else is minimised in place of the KL, the KL is only measured.
    const measured: Term[] = minimised.value === kl ? [] : [{ name: "kl", value: kl, weight: constant(0) }];
    return [{
      terms: [
        { name: "nll", value: nll, weight: constant(1) },
        ...measured,
        { ...minimised, weight: weight(config) },
      ],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks(config) {
    const { beta, betaSchedule, freeBits, capacity } = config;
    const penalty = capacity > 0 ? "|KL - C|" : freeBits > 0 ? "Σₖ max(λ, KLₖ)" : "KL";
    const lines = likelihoodRemarks(config, beta, penalty);
    const constantly = betaSchedule === "constant";
    if (beta === 1 && constantly && penalty === "KL") return lines;
    const bound = beta < 1 || capacity > 0 ? "no bound as" : "a looser bound than";
    const since = constantly ? "" : " once its weight has risen to β";
    // A fixed σ has said it, with its own factor.
    const said = lines.some((line) => line.startsWith("effective β"));
    const effective = said ? "" : `effective β = ${beta}: `;
    return [`${effective}the loss is ${bound} the ELBO is${since}; elbo is reported with weight 1`, ...lines];
  },
};
