/**
 * A dense layer.
 *
 * @module
 */

import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import { activated, type Activation } from "./activations.ts";
import { layerOutput } from "./layer.ts";

/**
 * y = f(x W + b)
 *
 * Backward: dx = da Wᵀ, dW = xᵀ da, db = the column sums of da, with da = dy · f'(a), a = x W + b. One dispatch forward; one for dx, one
 * for dW and db together, which the optimizer ends.
 *
 * @param x [N, inputs]
 * @param parameter Weight [inputs, outputs] and bias [outputs].
 * @returns y [N, outputs]
 */
export function dense(t: Tape, x: Variable, parameter: Parameter, activation: Activation = "identity"): Variable {
  const { inputs, outputs } = parameter.shape;
  if (x.columns !== inputs) {
    throw new RangeError(
      `Cannot apply "${parameter.name}" to "${x.name}": expected ${inputs} columns, found ${x.columns}`,
    );
  }
  const { y, epilogue } = layerOutput(t, parameter.name, x.rows, outputs, activation, true);
  const weight = parameter.tensor;
  const columns = roundUp(outputs, PANEL);
  const macs = x.rows * inputs * outputs;
  const rows = t.stored(x.rows);
  t.record({
    name: parameter.name,
    inputs: [x],
    parameters: [parameter],
    formula: (f) => activated(f, f.linear(f.of(x), parameter), activation),
    forward() {
      t.product({
        label: `${parameter.name} forward`,
        kind: "forward",
        rows,
        depth: roundUp(inputs, PANEL),
        columns,
        a: t.operand("a", x),
        b: t.operand("b", weight),
        biasRow: parameter.biasRow,
        epilogue: epilogue(),
        macs,
      }, x);
    },
    backward() {
      const gradient = t.gradient(y);
      // The input gradient first: the weight gradient ends by changing W.
      if (t.needsGradient(x)) {
        t.product({
          label: `${parameter.name} input gradient`,
          kind: "inputGradient",
          rows,
          depth: columns,
          columns: roundUp(inputs, PANEL),
          a: t.operand("a", gradient),
          b: t.operand("b", weight),
          epilogue: t.contribution(x),
          macs,
        });
      }
      if (t.needsGradient(parameter)) {
        t.product({
          label: `${parameter.name} weight gradient`,
          kind: "weightGradient",
          rows: parameter.biasRow,
          depth: rows,
          columns,
          a: t.operand("a", x),
          b: t.operand("b", gradient),
          biasRow: parameter.biasRow,
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}
