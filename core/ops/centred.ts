/**
 * Data about their mean, as the products of a fit take them.
 *
 * @module
 */

import { merge, read } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import { validRows } from "./valid_rows.ts";
import centredLoader from "../../shaders/loaders/centred.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };

/**
 * y = x - b, or [y | y²], with b the bias of a parameter. Rows past the end of the data, which a last batch may have, are zero: sums
 * over the batch leave them out. It has no gradient.
 *
 * @param x [N, D]
 * @param offset A parameter of D outputs.
 * @returns [N, D] or, with squares, [N, 2 D]
 */
export function centred(t: Tape, x: Variable, offset: Parameter, squares = false): Variable {
  const features = x.columns;
  if (offset.shape.outputs !== features) {
    throw new RangeError(
      `Cannot centre "${x.name}" by "${offset.name}": expected ${features} outputs, found ${offset.shape.outputs}`,
    );
  }
  const y = t.variable(`centred ${x.name}`, squares ? 2 * features : features, "f32", x.rows);
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula(f) {
      const apart = f.elementwise("x - b", { x: f.of(x), b: f.bias(offset) });
      return squares ? f.concat([apart, f.elementwise("x * x", { x: apart })]) : apart;
    },
    forward() {
      const a = merge(t.load("x", x), validRows(t), {
        parts: [layoutScalar, centredLoader],
        constants: {
          FEATURES: features,
          COLUMNS: y.columns,
          ROWS_offset: offset.tensor.storedRows,
          ROW_offset: offset.biasRow,
        },
        buffers: { offset: read(offset.tensor, "array<f32>") },
      });
      store(t, y, a);
    },
  }, y);
  return y;
}
