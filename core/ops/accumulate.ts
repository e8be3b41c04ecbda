/**
 * Sums over every row of the data, batch by batch.
 *
 * @module
 */

import { write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { createTensor, PANEL, roundUp, type Tensor } from "../gpu/tensor.ts";
import further from "../../shaders/epilogues/accumulate.wgsl" with { type: "text" };

/** A sum that every step adds to. */
export interface Accumulated {
  /** S [A, B]; the column sums of b are its stored row {@linkcode Accumulated.sumRow}. */
  readonly tensor: Tensor;
  /** The stored row of the column sums. */
  readonly sumRow: number;
}

/**
 * S += aᵀ b and s += the column sums of b: the product of a weight gradient, whose epilogue adds to what earlier steps left. It has no
 * gradient, and whoever runs the tape sets it to zero. Rows that are not to count must be zero in a and b.
 *
 * @param a [N, A]
 * @param b [N, B]
 */
export function accumulate(t: Tape, name: string, a: Variable, b: Variable): Accumulated {
  const sumRow = roundUp(a.columns, PANEL);
  const tensor = createTensor(t.gpu, name, a.columns, b.columns, { storedRows: sumRow + 1 });
  t.own(tensor.buffer);
  t.record({
    name,
    inputs: [a, b],
    parameters: [],
    forward() {
      t.product({
        label: name,
        kind: "weightGradient",
        rows: sumRow,
        depth: t.stored(a.rows),
        columns: tensor.storedColumns,
        a: t.operand("a", a),
        b: t.operand("b", b),
        biasRow: sumRow,
        epilogue: {
          parts: [further],
          constants: { ROWS_collected: tensor.storedRows },
          buffers: { collected: write(tensor) },
        },
        macs: a.rows * a.columns * b.columns,
      });
    },
  });
  return { tensor, sumRow };
}
