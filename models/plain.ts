/**
 * The VAE with nothing beside it: what every composed VAE comes to where no setting asks for more, and all that a page loads to train one. It is
 * no model.
 *
 * @module
 */

import { byNeed, more } from "../core/by_need.ts";
import { features } from "../core/dataset.ts";
import { bernoulli } from "../core/distributions/bernoulli.ts";
import type { Model } from "../core/model.ts";
import { chain, type Layer } from "../core/nn/layer.ts";
import { DIAGONAL, drawGaussian } from "../core/ops/draw.ts";
import { linear } from "../core/nn/linear.ts";
import { constant, type Schedule } from "../core/graph/schedule.ts";
import { type ComposedConfig, standard } from "./composed_settings.ts";
import { likelihoodCaveats } from "./likelihood_settings.ts";

/** All that is not of a plain VAE. */
export const parts = byNeed(() => import("./composed_parts.ts"));

/** Settings that a plain VAE may have at any value. */
const FREE: readonly (keyof ComposedConfig)[] = [
  ...["hidden", "latents", "activation", "samples", "divergence", "beta", "betaSchedule", "betaSteps"] as const,
];

/** Whether a configuration is one of a plain VAE. */
export function isPlain(config: ComposedConfig): boolean {
  return (Object.keys(standard) as (keyof ComposedConfig)[]).every((name) =>
    FREE.includes(name) || String(config[name]) === String(standard[name])
  );
}

/** D - hidden - 2 K and K - hidden reversed */
function layersOf({ hidden, latents, activation }: ComposedConfig, width: number): { encoder: Layer; decoder: Layer } {
  const stack = (name: string, sizes: readonly number[]) =>
    sizes.slice(1).map((outputs, i) => linear(`${name}.${i}`, sizes[i], outputs, activation));
  return {
    encoder: chain(
      ...stack("encoder", [width, ...hidden]),
      linear("encoder.posterior", hidden.at(-1) ?? width, 2 * latents),
    ),
    decoder: chain(...stack("decoder", [latents, ...hidden.toReversed()])),
  };
}

/** What is recorded of a configuration. */
export type Recorded = Pick<
  Required<Model<ComposedConfig>>,
  "parameters" | "objectives" | "encode" | "decode" | "latents" | "levels" | "caveats"
>;

const encode: Recorded["encode"] = (t, p, x, config) => {
  const statistics = layersOf(config, x.columns).encoder.apply(t, p, x);
  const covariance = "diagonal";
  return {
    name: "gaussian, diagonal covariance",
    latents: config.latents,
    statistics,
    covariance,
    ratio: (z) => more.now.posteriorRatio(t, z, statistics, covariance),
    draw(options = {}) {
      const { divergence = "analytic", freeBits = 0 } = options;
      return divergence === "doubly" || freeBits > 0
        ? parts.now.reparameterize(t, statistics, options)
        : drawGaussian(t, statistics, options, DIAGONAL[divergence]);
    },
  };
};

const decode: Recorded["decode"] = (t, p, z, config) => {
  const { outputs } = p.get("likelihood").shape;
  const h = layersOf(config, outputs).decoder.apply(t, p, z);
  return bernoulli(t, linear("likelihood", h.columns, outputs).apply(t, p, h));
};

/** A plain VAE. */
export const plain: Recorded = {
  parameters(config, data) {
    const width = features(data.shape);
    const { encoder, decoder } = layersOf(config, width);
    const inputs = config.hidden[0] ?? config.latents;
    return { ...encoder.shapes, ...decoder.shapes, likelihood: { inputs, outputs: width } };
  },
  objectives(t, p, { x }, config) {
    const { samples, divergence } = config;
    const { z, kl } = encode(t, p, x, config).draw({
      samples,
      divergence: divergence === "auto" ? "analytic" : divergence,
    });
    const nll = decode(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: weightOf(config) }],
    }];
  },
  encode,
  decode,
  latents: ({ latents }) => latents,
  levels: ({ latents }) => [latents],
  caveats: (config) => boundCaveats(config, likelihoodCaveats(config, config.beta)),
};

/** β of a level, counted from 0. */
export function weightOf({ beta, betaSchedule, betaSteps, levelSteps }: ComposedConfig, level = 0): Schedule {
  switch (betaSchedule) {
    case "constant":
      return constant(beta);
    case "warm-up":
      return { kind: "linear", from: 0, to: beta, steps: betaSteps, start: level * levelSteps };
    case "cyclic":
      return { kind: "cyclic", from: 0, to: beta, steps: betaSteps, rising: 0.5 };
  }
}

/**
 * What a user must know of a loss that is not the negative ELBO, before other lines.
 *
 * @param penalty What has the weight β.
 */
export function boundCaveats(
  { beta, betaSchedule, capacity }: ComposedConfig,
  lines: readonly string[],
  penalty = "KL",
): readonly string[] {
  const constantly = betaSchedule === "constant";
  if (beta === 1 && constantly && penalty === "KL") return lines;
  const bound = beta < 1 || capacity > 0 ? "no bound as" : "a looser bound than";
  const since = constantly ? "" : " once its weight has risen to β";
  // A fixed σ has said it, with its own factor.
  const said = lines.some((line) => line.startsWith("effective β"));
  const effective = said ? "" : `effective β = ${beta}: `;
  return [`${effective}the loss is ${bound} the ELBO is${since}; elbo is reported with weight 1`, ...lines];
}
