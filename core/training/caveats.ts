/**
 * What a reader of an ELBO must know beside the number.
 *
 * @module
 */

import { isTable } from "../description.ts";
import { type LatentUse, UNUSED_KL } from "../distributions/encoded.ts";
import { plural } from "../plural.ts";
import type { Model, Support } from "../model.ts";
import type { Binarization } from "../ops/gather.ts";
import type { DataDescription } from "./checkpoint.ts";
import type { Trained } from "./trained.ts";
import { type TrainingConfig, trainingSteps } from "./training_settings.ts";

/** What values are of. */
type Values = Pick<DataDescription, "shape" | "range">;

/**
 * How values became data, in a line; none where a table's numbers are used as they are, which needs no word.
 *
 * @param support What the likelihood is a distribution of.
 */
function binarization(binarize: Binarization, { shape, range }: Values, support: Support = "binary"): string[] {
  const pixels = isTable(shape) ? "values" : "pixels";
  const value = isTable(shape) || shape[2] > 1 ? "value" : "grey value";
  const bits = support === "binary" ? "" : `, though the likelihood is of ${value}s: elbo and nll are of bits then`;
  switch (binarize) {
    case "dynamic":
      return [`${pixels}: binarize dynamic, each drawn anew from its ${value} whenever it is seen${bits}`];
    case "threshold":
      return [`${pixels}: binarize threshold, 1 where the ${value} is at least 1/2${bits}`];
    case "none": {
      const asTheyAre = `${pixels}: binarize none, ${value}s as they are`;
      if (range?.kind === "binary" || support !== "binary") return isTable(shape) ? [] : [asTheyAre];
      return [
        `${asTheyAre}; with a Bernoulli likelihood elbo and nll are then no likelihood: compare them with no other ` +
        "binarization",
      ];
    }
  }
}

/** The line on binarization of a model that was trained. */
export function binarizationOf({ model, config, data, training: { binarize } }: Trained): string[] {
  return binarization(binarize, data, model.support?.(config));
}

/** The line on binarization, and what the model says of its configuration. */
export function caveats(model: Model, config: object, binarize: Binarization, data: Values): string[] {
  return [...binarization(binarize, data, model.support?.(config)), ...(model.caveats?.(config) ?? [])];
}

/** What the model says of what it has learned. */
export async function findings({ model, parameters, config, data }: Trained): Promise<readonly string[]> {
  return await model.findings?.(parameters, config, data) ?? [];
}

/** What to say of a schedule that ends before a training on so many rows does, and leaves nothing to learn by. */
export function scheduleCaveats(training: TrainingConfig, count: number): string[] {
  const { learningRateSchedule, learningRateSteps: steps } = training;
  const all = trainingSteps(training, count);
  if (learningRateSchedule !== "cosine" || steps === 0 || steps >= all) return [];
  return [`learning rate: 0 from step ${steps} of ${all} on, where its cosine ends; nothing is learned from there`];
}

/** Steps that teach a model anything, by experience. */
const FEW_STEPS = 300;

/** What to say where a training ends after few steps because data are few. */
export function stepsCaveats(training: TrainingConfig, count: number): string[] {
  const steps = trainingSteps(training, count);
  if (steps >= FEW_STEPS) return [];
  const epochs = Number((training.epochs * Math.ceil(2 * FEW_STEPS / steps)).toPrecision(1));
  return [`${plural(steps, "step")} in all, too few to learn much from: train for longer, as with --epochs ${epochs}`];
}

/** What to say where the posterior has collapsed onto the prior: in a tenth of the latent dimensions or fewer is there any KL. */
export function collapseWarning({ active, of }: LatentUse): string | undefined {
  if (active > of / 10) return undefined;
  return `Warning: posterior collapse, ${active} of ${of} latent dimensions have a KL of ${UNUSED_KL} nats or more; ` +
    "a KL weight that warms up, free bits, or a smaller decoder may help";
}
