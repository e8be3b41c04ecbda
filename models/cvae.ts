/**
 * The Conditional VAE.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { composed } from "./composed.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/**
 * -ELBO = E_q(z|x,c)[-log p(x | z, c)] + KL(q(z | x, c) ‖ N(0, I)), c joined to x and to z
 *
 * One-hot labels take a column each; a raw label is one column with the class's number, an order that classes do not have. Covariates
 * are taken as they are: numbers around 1 train best.
 *
 * Source: Sohn, Lee and Yan, "Learning Structured Output Representation using Deep Conditional Generative Models", NeurIPS 2015,
 * equation 4, with a prior that does not depend on c.
 */
export const cvae: Model<ComposedConfig> = composed({
  name: "cvae",
  summary: "Conditional VAE: the label, or covariates, joined to the data and to the latents",
  source: "Sohn et al., NeurIPS 2015, equation 4",
  own: ["condition", "hidden", "latents", "activation", "likelihood"],
  defaults: { condition: "one-hot" },
});
