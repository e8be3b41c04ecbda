/**
 * What a reader of an ELBO must know beside the number.
 *
 * @module
 */

import type { Model } from "../../core/model.ts";
import type { Binarization } from "../../core/ops/gather.ts";

/** How values became data, in one line. */
export function pixels(binarize: Binarization): string {
  switch (binarize) {
    case "dynamic":
      return "pixels: binarize dynamic, each drawn anew from its grey value whenever it is seen";
    case "threshold":
      return "pixels: binarize threshold, 1 where the grey value is at least 1/2";
    case "none":
      return "pixels: binarize none, grey values as they are; with a Bernoulli likelihood elbo and nll are then no " +
        "likelihood: compare them with no other binarization";
  }
}

/** The line on pixels, and what the model says of its configuration. */
export function remarks(model: Model, config: object, binarize: Binarization): string[] {
  return [pixels(binarize), ...(model.remarks?.(config) ?? [])];
}
