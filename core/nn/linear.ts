/**
 * The dense layer.
 *
 * @module
 */

import type { Activation } from "../ops/activations.ts";
import { dense } from "../ops/dense.ts";
import type { ShapedLayer } from "./layer.ts";

/**
 * y = f(x W + b), x [N, inputs], y [N, outputs]
 *
 * @param name Of W [inputs, outputs] and b [outputs].
 */
export function linear(
  name: string,
  inputs: number,
  outputs: number,
  activation: Activation = "identity",
): ShapedLayer {
  return {
    shapes: { [name]: { inputs, outputs } },
    output: [1, 1, outputs],
    apply: (t, p, x) => dense(t, x, p.get(name), activation),
  };
}
