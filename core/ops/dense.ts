/**
 * A dense layer, and a stack of them.
 *
 * @module
 */

import { type Fragment, read, write } from "../kernel.ts";
import type { Parameter, Parameters, ParameterShape } from "../parameters.ts";
import type { Tape, Variable } from "../tape.ts";
import { PANEL, roundUp } from "../tensor.ts";
import { type Activation, activations, type ActivationShader } from "./activations.ts";
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import denseGradient from "../../shaders/epilogues/dense_gradient.wgsl" with { type: "text" };
import denseKeep from "../../shaders/epilogues/dense_keep.wgsl" with { type: "text" };

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
  const { shader, needsInput }: ActivationShader = activations[activation];
  const y = t.variable(parameter.name, outputs, "f32", x.rows);
  // What f' is computed from where that is not y; a variable of its own so that it is stored only where it is needed.
  const a = t.variable(`input of ${parameter.name}`, outputs, "f32", x.rows);
  const weight = parameter.tensor;
  const columns = roundUp(outputs, PANEL);
  const macs = x.rows * inputs * outputs;
  const rows = t.stored(x.rows);
  y.fusible = activation === "identity";
  if (activation !== "identity") {
    y.finish = () => {
      const gradient = t.gradient(y);
      return {
        parts: [shader, denseGradient],
        constants: { ROWS_gradient: gradient.storedRows },
        buffers: { saved: read(t.tensor(needsInput ? a : y)), gradient: write(gradient) },
      };
    };
  }
  t.record({
    name: parameter.name,
    inputs: [x],
    parameters: [parameter],
    forward() {
      const store = (): Fragment => ({
        parts: [shader, needsInput ? denseKeep : denseEpilogue],
        constants: { ROWS_y: rows, COLUMNS: outputs },
        buffers: { y: write(t.tensor(y)), ...(needsInput ? { kept_input: write(t.tensor(a)) } : {}) },
      });
      t.product({
        label: `${parameter.name} forward`,
        kind: "forward",
        rows,
        depth: roundUp(inputs, PANEL),
        columns,
        a: t.load("a", x),
        b: t.load("b", weight),
        biasRow: parameter.biasRow,
        epilogue: t.fused(y) ? y.sink!() : store(),
        macs,
      });
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
          a: t.load("a", gradient),
          b: t.load("b", weight),
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
          a: t.load("a", x),
          b: t.load("b", gradient),
          biasRow: parameter.biasRow,
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}

/** The shapes of a stack of dense layers: `name.0` from sizes[0] to sizes[1], and so on. */
export function stackShapes(name: string, sizes: readonly number[]): Record<string, ParameterShape> {
  return Object.fromEntries(sizes.slice(1).map((outputs, i) => [`${name}.${i}`, { inputs: sizes[i], outputs }]));
}

/** Applies `name.0`, `name.1`, ... `name.(layers - 1)`, each with the activation. */
export function stack(
  t: Tape,
  x: Variable,
  p: Parameters,
  name: string,
  layers: number,
  activation: Activation,
): Variable {
  for (let i = 0; i < layers; i++) x = dense(t, x, p.get(`${name}.${i}`), activation);
  return x;
}
