/**
 * The sum of two variables, as around a residual block.
 *
 * @module
 */

import { type Fragment, merge, write } from "../gpu/kernel.ts";
import { loader, type Tape, type Variable } from "../graph/tape.ts";
import addEpilogue from "../../shaders/epilogues/add.wgsl" with { type: "text" };

/**
 * y = a + b, element by element. Where nothing else reads b it is formed where the layer before ends, and b is not stored.
 *
 * Backward: da = db = dy, which is the same matrix for each of them that nothing else reads.
 *
 * @param a [N, D]
 * @param b [N, D]
 * @returns y [N, D]
 */
export function add(t: Tape, a: Variable, b: Variable): Variable {
  if (a.rows !== b.rows || a.columns !== b.columns) {
    throw new RangeError(
      `Cannot add "${a.name}" and "${b.name}": expected equal sizes, found ${a.rows} x ${a.columns} and ` +
        `${b.rows} x ${b.columns}`,
    );
  }
  const y = t.variable(`${a.name} + ${b.name}`, a.columns, "f32", a.rows);
  const epilogue = (): Fragment =>
    merge(t.load("addend", a), {
      parts: [addEpilogue],
      constants: { ROWS_y: t.stored(y.rows) },
      buffers: { y: write(t.tensor(y)) },
    });
  b.consumerEpilogue = epilogue;
  t.record({
    name: y.name,
    inputs: [a, b],
    parameters: [],
    formula: (f) => f.elementwise("a + b", { a: f.of(a), b: f.of(b) }),
    forward() {
      if (!t.fused(b)) t.map(y.name, loader("a", t.tensor(b)), epilogue(), y);
    },
    backward() {
      t.passGradient(y, a);
      t.passGradient(y, b);
    },
  }, y);
  return y;
}
