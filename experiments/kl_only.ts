/**
 * A VAE without its reconstruction term, to see what the KL alone does to latent space.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { constant } from "../core/graph/schedule.ts";
import { vae } from "../models/vae.ts";
import type { ComposedConfig } from "../models/composed_settings.ts";

/**
 * loss = KL(q(z | x) ‖ N(0, I))
 *
 * Every posterior becomes the prior: a code says nothing of its datum. The reconstruction term is measured with weight 0, so the
 * decoder stays as it started.
 */
export const klOnly: Model<ComposedConfig> = {
  ...vae,
  name: "kl_only",
  summary: "VAE without its reconstruction term",
  objectives: (t, p, batch, config) =>
    vae.objectives(t, p, batch, config).map(({ terms, ...objective }) => ({
      ...objective,
      terms: terms.map((term) => term.name === "nll" ? { ...term, weight: constant(0) } : term),
    })),
};
