/**
 * The Conditional VAE.
 *
 * @module
 */

import { conditionColumns } from "../core/batch.ts";
import { type Condition, CONDITIONS, type Model } from "../core/model.ts";
import { constant } from "../core/schedule.ts";
import { likelihoodRemarks, likelihoodSupport } from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./mlp.ts";

/** The VAE's configuration and what it is conditioned on. */
export interface CvaeConfig extends MlpConfig {
  readonly condition: Condition;
}

/**
 * -ELBO = E_q(z|x,c)[-log p(x | z, c)] + KL(q(z | x, c) ‖ N(0, I)), c joined to x and to z
 *
 * One-hot labels take a column each; a raw label is one column with the class's number, an order that classes do not have. Covariates
 * are taken as they are: numbers around 1 train best.
 *
 * Source: Sohn, Lee and Yan, "Learning Structured Output Representation using Deep Conditional Generative Models", NeurIPS 2015,
 * equation 4, with a prior that does not depend on c.
 */
export const cvae: Model<CvaeConfig> = {
  name: "cvae",
  summary: "Conditional VAE: the label, or covariates, joined to the data and to the latents",
  source: "Sohn et al., NeurIPS 2015, equation 4",
  settings: {
    ...mlpSettings,
    condition: {
      type: "choice",
      default: "one-hot",
      choices: CONDITIONS,
      help: "the label as a column for each class or as a number, or the covariates of each datum",
    },
  },
  parameters: (config, data) => mlpShapes(config, data, conditionColumns(config.condition, data)),
  objectives(t, p, { x, condition }, config) {
    const { z, kl } = mlpEncode(t, p, x, config, condition).draw();
    const nll = mlpDecode(t, p, z, config, condition).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
  support: likelihoodSupport,
  remarks: (config) => likelihoodRemarks(config),
  condition: (config) => config.condition,
};
