/**
 * Dropout as a layer.
 *
 * @module
 */

import { dropout as op } from "../ops/dropout.ts";
import type { Layer } from "./layer.ts";

/** y = m x / (1 - p) in training, each m 0 with probability p, else 1; y = x without a training. */
export function dropout(probability: number): Layer {
  return { shapes: {}, apply: (t, _, x) => op(t, x, probability) };
}
