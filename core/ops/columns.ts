/**
 * Some columns of a matrix.
 *
 * @module
 */

import { merge, read } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import columnsLoader from "../../shaders/loaders/columns.wgsl" with { type: "text" };
import placedColumns from "../../shaders/loaders/placed_columns.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };

/**
 * y = x[:, first : first + count]
 *
 * Backward: dx = dy in those columns, and zero in the others.
 *
 * @param x [N, at least first + count]
 * @returns [N, count]
 */
export function columns(t: Tape, x: Variable, first: number, count: number): Variable {
  if (x.type !== "f32") throw new RangeError(`Cannot take columns of "${x.name}": expected f32, found ${x.type}`);
  const whole = Number.isInteger(first) && Number.isInteger(count);
  if (!whole || first < 0 || count < 1 || first + count > x.columns) {
    throw new RangeError(
      `Cannot take columns of "${x.name}": expected at least one of its ${x.columns}, found ${count} from ${first} on`,
    );
  }
  const y = t.variable(`part of ${x.name}`, count, "f32", x.rows);
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.columns(f.of(x), first, count),
    forward() {
      const a = merge({
        parts: [layoutScalar, { text: columnsLoader, parameters: { m: "a" } }],
        constants: { ROWS_a: t.stored(x.rows), REPEATS_a: 1, FIRST_a: first, COLUMNS_a: count },
        buffers: { a: read(t.tensor(x), "array<f32>") },
      });
      store(t, y, a);
    },
    backward() {
      if (!t.needsGradient(x)) return;
      const gradient = t.gradient(y);
      t.map(
        `${x.name} gradient`,
        {
          parts: [layoutScalar, placedColumns],
          constants: { ROWS_a: gradient.storedRows, FIRST_a: first, COLUMNS_a: count },
          buffers: { a: read(gradient, "array<f32>") },
        },
        t.contribution(x),
        x,
      );
    },
  }, y);
  return y;
}
