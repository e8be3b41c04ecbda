/**
 * Some columns of a matrix.
 *
 * @module
 */

import { merge, read } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import columnsLoader from "../../shaders/loaders/columns.wgsl" with { type: "text" };
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
        parts: [layoutScalar, { text: columnsLoader, parameters: { m: "a" } }],
        constants: { ROWS_a: t.stored(x.rows), REPEATS_a: 1, FIRST_a: first, COLUMNS_a: count },
        buffers: { a: read(t.tensor(x), "array<f32>") },
      });
      store(t, y, a);
    },
  }, y);
  return y;
}
