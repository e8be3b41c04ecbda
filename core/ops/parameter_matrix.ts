/**
 * A learned matrix on its own.
 *
 * @module
 */

import type { Parameter } from "../graph/parameters.ts";
import { loader, type Tape, type Variable } from "../graph/tape.ts";
import { activated, type Activation } from "./activations.ts";
import { layerOutput } from "./layer.ts";

/**
 * y = f(W), whatever the batch
 *
 * Backward: dW = dy · f'(W), by one dispatch, which the optimizer ends. The parameter's bias stays as it is.
 *
 * @param parameter W [R, C]
 * @returns y [R, C]
 */
export function parameterMatrix(t: Tape, parameter: Parameter, activation: Activation = "identity"): Variable {
  const { name, tensor, shape: { inputs, outputs } } = parameter;
  const { y, epilogue } = layerOutput(t, name, inputs, outputs, activation, false);
  t.record({
    name,
    inputs: [],
    parameters: [parameter],
    formula: (f) => activated(f, f.weight(parameter), activation),
    forward: () => t.map(name, loader("a", tensor), epilogue(), y),
    backward() {
      if (t.needsGradient(parameter)) {
        t.map(`${name} gradient`, t.load("a", t.gradient(y)), t.contribution(parameter), y);
      }
    },
  }, y);
  return y;
}
