/**
 * A prior of somebody else, made of public ops, and a model that is composed with it.
 *
 * @module
 */

import { add, broadcast, columns, composed, elementwise, multiply, type PriorPart, valuesOf } from "../../mod.ts";

/** log N(z; 0, 1) - log N(z; m, exp(s)²) */
const ratio = elementwise({
  name: "ratio",
  inputs: ["z", "m", "s"],
  value: "0.5 * ((z - m) * (z - m) * exp(-2.0 * s) - z * z) + s",
  derivatives: {
    z: "(z - m) * exp(-2.0 * s) - z",
    m: "-(z - m) * exp(-2.0 * s)",
    s: "1.0 - (z - m) * (z - m) * exp(-2.0 * s)",
  },
});

const deviation = elementwise({
  name: "deviation",
  inputs: ["s"],
  value: "exp(s)",
  derivatives: { s: "y" },
});

/** p(z) = N(z; m, diag exp(s)²), m and s learned. */
export const gaussian: PriorPart = {
  summary: "one learned Gaussian",
  shapes: ({ latents }) => ({
    "prior.mean": { inputs: 0, outputs: latents },
    "prior.logDeviation": { inputs: 0, outputs: latents },
  }),
  record(t, p, { latents }) {
    const of = (name: string, rows: number) => broadcast(t, p.get(`prior.${name}`), latents, rows);
    return {
      name: "Gaussian",
      ratio: (z) => valuesOf(t, "ratio", ratio(t, z, of("mean", z.rows), of("logDeviation", z.rows))),
      draw(noise) {
        const scaled = multiply(t, columns(t, noise, 0, latents), deviation(t, of("logDeviation", noise.rows)));
        return add(t, scaled, of("mean", noise.rows));
      },
    };
  },
};

/** A VAE whose prior moves to where the posteriors are. */
export const movedVae = composed({
  name: "moved_vae",
  summary: "VAE with a learned Gaussian as its prior",
  source: "an example",
  own: ["prior"],
  defaults: { prior: "gaussian" },
  priors: { gaussian },
});
