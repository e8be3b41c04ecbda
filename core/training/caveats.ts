/**
 * What a reader of an ELBO must know beside the number.
 *
 * @module
 */

import { type LatentUse, UNUSED_KL } from "../distributions/encoded.ts";
import type { Model, Support } from "../model.ts";
import type { Binarization } from "../ops/gather.ts";
import type { Trained } from "./trained.ts";
import { type TrainingConfig, trainingSteps } from "./training_settings.ts";

/** How values became data, in one line. `support`: what the likelihood is a distribution of. */
export function pixels(binarize: Binarization, support: Support = "binary"): string {
  const bits = support === "binary" ? "" : ", though the likelihood is of grey values: elbo and nll are of bits then";
  switch (binarize) {
    case "dynamic":
      return `pixels: binarize dynamic, each drawn anew from its grey value whenever it is seen${bits}`;
    case "threshold":
      return `pixels: binarize threshold, 1 where the grey value is at least 1/2${bits}`;
    case "none":
      if (support !== "binary") return "pixels: binarize none, grey values as they are";
      return "pixels: binarize none, grey values as they are; with a Bernoulli likelihood elbo and nll are then no " +
        "likelihood: compare them with no other binarization";
  }
}

/** The line on pixels, and what the model says of its configuration. */
export function caveats(model: Model, config: object, binarize: Binarization): string[] {
  return [pixels(binarize, model.support?.(config)), ...(model.caveats?.(config) ?? [])];
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

/** What to say where the posterior has collapsed onto the prior: in a tenth of the latent dimensions or fewer is there any KL. */
export function collapseWarning({ active, of }: LatentUse): string | undefined {
  if (active > of / 10) return undefined;
  return `Warning: posterior collapse, ${active} of ${of} latent dimensions have a KL of ${UNUSED_KL} nats or more; ` +
    "a KL weight that warms up, free bits, or a smaller decoder may help";
}
