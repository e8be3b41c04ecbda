/**
 * A learned vector, the same for every row.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import columnSum from "../../shaders/column_sum.wgsl" with { type: "text" };
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import identity from "../../shaders/activations/identity.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import loadVector from "../../shaders/loaders/vector.wgsl" with { type: "text" };

/**
 * y[n, d] = v[d], or v[0] for every d
 *
 * Backward: dv[d] = Σₙ dy[n, d], or dv[0] = Σₙ Σ_d dy[n, d], summed in a fixed order by one dispatch, which the optimizer ends.
 *
 * @param parameter v: a bias without a weight, inputs 0, and 1 output or `columns` of them.
 * @param columns D
 * @param rows N, the batch if left out.
 * @returns y [N, D]
 */
export function broadcast(t: Tape, parameter: Parameter, columns: number, rows: number = t.batch): Variable {
  const { inputs, outputs } = parameter.shape;
  if (inputs !== 0 || (outputs !== 1 && outputs !== columns)) {
    throw new RangeError(
      `Cannot repeat "${parameter.name}" over rows: expected 0 inputs and 1 or ${columns} outputs, ` +
        `found ${inputs} and ${outputs}`,
    );
  }
  const single = outputs === 1;
  const y = t.variable(parameter.name, columns, "f32", rows);
  t.record({
    name: parameter.name,
    inputs: [],
    parameters: [parameter],
    formula: (f) => f.elementwise("one * v", { one: f.vector(Array(columns).fill(1)), v: f.bias(parameter) }),
    forward() {
      const vector = {
        parts: [{ text: loadVector, parameters: { m: "a" } }],
        constants: { SINGLE_a: single },
        buffers: { a: read(parameter.tensor) },
      };
      t.map(parameter.name, vector, {
        parts: [identity, denseEpilogue],
        constants: { ROWS_y: t.stored(rows), COLUMNS: columns },
        buffers: { y: write(t.tensor(y)) },
      }, y);
    },
    backward() {
      if (!t.needsGradient(parameter)) return;
      t.dispatch({
        label: `${parameter.name} gradient`,
        fragments: [t.load("a", t.gradient(y)), t.contribution(parameter), {
          parts: [layout, treeSum("vec4f", 64), columnSum],
          constants: {
            ROWS: t.stored(rows),
            SPAN: single ? Math.ceil(columns / 4) : 1,
            SINGLE: single,
            ROW_bias: parameter.biasRow,
          },
        }],
        workgroups: [single ? 1 : Math.ceil(columns / 4)],
      });
    },
  }, y);
  return y;
}
