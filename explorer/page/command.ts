/**
 * A training as a command line.
 *
 * @module
 */

import type { ModelInfo } from "../engine.ts";

/** Settings that every training has anyway; the command names what was chosen. */
const CHOSEN = [
  ...["hidden", "latents", "optimizer", "learningRate", "epochs", "batchSize", "beta", "freeBits", "capacity", "prior"],
  ...["components", "condition", "objective", "samples", "seed", "validation", "encoder", "activation", "likelihood"],
];

/** The command that repeats the training of a model. */
export function commandOf(
  { model, config, training, data }: Pick<ModelInfo, "model" | "config" | "training" | "data">,
): string {
  const all: Readonly<Record<string, unknown>> = { ...training, ...config };
  const flags = CHOSEN.filter((key) => all[key] !== undefined && !isDefault(key, all)).map((key) => {
    const value = all[key];
    const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${flag} ${Array.isArray(value) ? value.join(",") : value}`;
  });
  return `deno task train --model ${model} --dataset ${data.name} ${flags.join(" ")}`;
}

/** What would change nothing, or be refused where it changes nothing. */
function isDefault(key: string, all: Readonly<Record<string, unknown>>): boolean {
  if (key === "components") return all.prior === "standard" || all.prior === undefined;
  const defaults: Readonly<Record<string, unknown>> = {
    ...{ beta: 1, freeBits: 0, capacity: 0, prior: "standard", condition: "none", objective: "elbo", samples: 1 },
    ...{ seed: 0, encoder: "dense", activation: "tanh", likelihood: "bernoulli", optimizer: "adam", batchSize: 100 },
  };
  return key in defaults && all[key] === defaults[key];
}
