/**
 * An activation as a layer of its own.
 *
 * @module
 */

import { activate } from "../ops/activate.ts";
import type { Activation } from "../ops/activations.ts";
import type { Layer } from "./layer.ts";

/** y = f(x), element by element. */
export function activation(f: Activation): Layer {
  return { shapes: {}, apply: (t, _, x) => f === "identity" ? x : activate(t, x, f) };
}
