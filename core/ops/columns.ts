/**
 * Some columns of a matrix.
 *
 * @module
 */

import { read, write } from "../kernel.ts";
import { merge, type Tape, type Variable } from "../tape.ts";
import { activations } from "./activations.ts";
import columnsLoader from "../../shaders/loaders/columns.wgsl" with { type: "text" };
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };

/**
 * y = x[:, first : first + count]. It has no gradient.
 *
 * @param x [N, at least first + count]
 * @returns [N, count]
 */
export function columns(t: Tape, x: Variable, first: number, count: number): Variable {
  if (first + count > x.columns || x.type !== "f32") {
    throw new RangeError(
      `Cannot take columns ${first} to ${first + count} of "${x.name}": found ${x.columns} of ${x.type}`,
    );
  }
  const y = t.variable(`part of ${x.name}`, count, "f32", x.rows);
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    forward() {
      const a = merge({
        parts: [layoutScalar, columnsLoader],
        constants: { ROWS_source: t.stored(x.rows), FIRST: first },
        buffers: { source: read(t.tensor(x), "array<f32>") },
      });
      t.map(y.name, a, {
        parts: [activations.identity.shader, denseEpilogue],
        constants: { ROWS_y: t.stored(y.rows), COLUMNS: count },
        buffers: { y: write(t.tensor(y)) },
      }, y);
    },
  }, y);
  return y;
}
