/**
 * The dense layer.
 *
 * @module
 */

import type { ParameterShape } from "../graph/parameters.ts";
import type { Activation } from "../ops/activations.ts";
import { dense } from "../ops/dense.ts";
import type { ShapedLayer } from "./layer.ts";

/**
 * y = f(x W + b), x [N, inputs], y [N, outputs]
 *
 * @param name Of W [inputs, outputs] and b [outputs].
 * @param more What W is besides: which of its weights there are, what they are at first.
 */
export function linear(
  name: string,
  inputs: number,
  outputs: number,
  activation: Activation = "identity",
  more: Pick<ParameterShape, "connections" | "initial"> = {},
): ShapedLayer {
  return {
    shapes: { [name]: { inputs, outputs, ...more } },
    output: [1, 1, outputs],
    apply: (t, p, x) => dense(t, x, p.get(name), activation),
  };
}
