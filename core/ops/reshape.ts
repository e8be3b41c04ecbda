/**
 * The same elements in row-major order as a matrix of another width: images [N H W, C] as rows [N, H W C], and back.
 *
 * @module
 */

import { type Fragment, merge, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { packed } from "../gpu/packed.ts";
import identity from "../../shaders/activations/identity.wgsl" with { type: "text" };
import reshapeScalar from "../../shaders/loaders/reshape_scalar.wgsl" with { type: "text" };
import reshapeShader from "../../shaders/loaders/reshape.wgsl" with { type: "text" };
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };

/** A fragment giving load_m of a matrix whose elements are read as [rows, columns]. */
export function reshaped(m: string, tensor: Tensor, rows: number, columns: number): Fragment {
  const scalar = tensor.columns % 4 || columns % 4;
  return merge(packed(m, tensor), {
    parts: [{ text: scalar ? reshapeScalar : reshapeShader, parameters: { m } }],
    constants: { [`COLUMNS_${m}`]: tensor.columns, ROWS_reshaped: rows, COLUMNS_reshaped: columns },
  });
}

/**
 * y = x, element by element in row-major order. What reads y alone can take the values in as they are passed on: then y is not stored.
 *
 * Backward: dx = dy in the shape of x.
 *
 * @param x [R, C]
 * @param columns D, which divides R C.
 * @returns y [R C / D, D]
 */
export function reshape(t: Tape, x: Variable, columns: number): Variable {
  const rows = x.rows * x.columns / columns;
  if (!Number.isInteger(rows)) {
    throw new RangeError(
      `Cannot reshape "${x.name}": expected a number of columns that divides ${x.rows} x ${x.columns}, found ${columns}`,
    );
  }
  const y = t.variable(`${x.name} as [${rows}, ${columns}]`, columns, "f32", rows);
  y.fusible = true;
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.reshape(f.of(x), columns),
    forward() {
      const store = (): Fragment => ({
        parts: [identity, denseEpilogue],
        constants: { ROWS_y: t.stored(rows), COLUMNS: columns },
        buffers: { y: write(t.tensor(y)) },
      });
      t.map(y.name, reshaped("a", t.tensor(x), rows, columns), t.fused(y) ? y.consumerEpilogue!() : store(), y);
    },
    backward() {
      t.map(`${y.name} gradient`, reshaped("a", t.gradient(y), x.rows, x.columns), t.contribution(x), x);
    },
  }, y);
  return y;
}
