/**
 * Adding per-row values.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import shader from "../../shaders/sum_values.wgsl" with { type: "text" };

/**
 * a + b for each row
 *
 * Backward: da = db = d(a + b).
 *
 * @param a One value for each row.
 * @param b One value for each of the same rows.
 */
export function sumValues(t: Tape, name: string, a: RowScalars, b: RowScalars): RowScalars {
  if (a.rows !== b.rows) {
    throw new RangeError(`Cannot add "${b.name}" to "${a.name}": expected ${a.rows} rows, found ${b.rows}`);
  }
  const sum = t.rowScalars(name, 1, a.rows);
  a.upstream = b.upstream = (m) => t.upstream(m, sum);
  t.record({
    name,
    inputs: [],
    parameters: [],
    values: [a, b],
    formula: (f) => f.elementwise("a + b", { a: f.of(a), b: f.of(b) }),
    forward() {
      t.dispatch({
        label: name,
        fragments: [{
          parts: [shader],
          constants: { ROWS: a.storedRows, PARTS_one: a.parts, PARTS_other: b.parts },
          buffers: { one: read(a.buffer), other: read(b.buffer), sum: write(sum.buffer) },
        }],
        workgroups: [Math.ceil(a.storedRows / 64)],
      });
    },
  }, sum);
  return sum;
}
