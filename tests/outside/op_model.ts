/**
 * A VAE whose encoder has an activation of its own and whose decoder weighs its features, by the ops of op.ts. Nothing but mod.ts is
 * imported.
 *
 * @module
 */

import {
  bernoulli,
  columnOf,
  constant,
  type DataShape,
  dense,
  features,
  gaussianPosterior,
  type Model,
  multiply,
  type Parameters,
  square,
  type Tape,
  valuesOf,
  type Variable,
} from "../../mod.ts";
import { softmax, softsign } from "./op.ts";

interface Config {
  /** H */
  readonly hidden: number;
  /** K */
  readonly latents: number;
}

const encode = (t: Tape, p: Parameters, x: Variable) =>
  gaussianPosterior(t, dense(t, softsign(t, dense(t, x, p.get("encoder.0"))), p.get("posterior")));

function decode(t: Tape, p: Parameters, z: Variable) {
  const h = dense(t, z, p.get("decoder.0"), "tanh");
  const weights = softmax(t, dense(t, z, p.get("weights")));
  return bernoulli(t, dense(t, multiply(t, h, weights), p.get("likelihood")));
}

/** The loss has a penalty on weights that are all in one place, which is made of ops too. */
export const attentive = {
  name: "attentive_vae",
  summary: "a VAE whose decoder weighs its features",
  source: "tests/outside",
  settings: {
    hidden: { type: "integer", default: 8, minimum: 1, help: "features" },
    latents: { type: "integer", default: 2, minimum: 1, help: "dimensions of z" },
  },
  parameters: ({ hidden, latents }: Config, { shape }: DataShape) => ({
    "encoder.0": { inputs: features(shape), outputs: hidden },
    "posterior": { inputs: hidden, outputs: 2 * latents },
    "decoder.0": { inputs: latents, outputs: hidden },
    "weights": { inputs: latents, outputs: hidden },
    "likelihood": { inputs: hidden, outputs: features(shape) },
  }),
  objectives(t, p, { x }) {
    const { z, kl } = encode(t, p, x).draw();
    const nll = decode(t, p, z).nll(x);
    const spread = valuesOf(t, "spread", square(t, columnOf(t, kl)));
    return [{
      terms: [
        { name: "nll", value: nll, weight: constant(1) },
        // Read by an op, so measured only: what is minimised of it is below.
        { name: "kl", value: kl, weight: constant(0) },
        { name: "squared kl", value: spread, weight: constant(0.1) },
      ],
    }];
  },
  encode: (t, p, x) => encode(t, p, x),
  decode: (t, p, z) => decode(t, p, z),
  latents: ({ latents }) => latents,
} as const satisfies Model<Config>;
