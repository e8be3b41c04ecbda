/**
 * Breaking what the columns of a batch have to do with each other.
 *
 * @module
 */

import { merge, read } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { randoms } from "./parts.ts";
import { store } from "./store.ts";
import { validRows } from "./valid_rows.ts";
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import permutedColumns from "../../shaders/loaders/permuted_columns.wgsl" with { type: "text" };
import shuffle from "../../shaders/shuffle.wgsl" with { type: "text" };

/**
 * y[n, d] = x[π_d(n), d], π_d a random order of the rows for each column, new in every step: draws of the product of the marginals, where
 * the rows of x are draws of the joint distribution
 *
 * Rows that pad the last batch are left out, and 0. No gradient passes. Source: Kim and Mnih, "Disentangling by Factorising",
 * arXiv:1802.05983, algorithm 1.
 *
 * @param x [N L, D]
 * @returns y [N L, D]
 */
export function permuteColumns(t: Tape, x: Variable): Variable {
  if (x.type !== "f32") {
    throw new RangeError(`Cannot permute the columns of "${x.name}": expected f32, found ${x.type}`);
  }
  const draws = x.rows / t.batch;
  if (!Number.isInteger(draws)) {
    throw new RangeError(
      `Cannot permute the columns of "${x.name}": expected a multiple of ${t.batch} rows, found ${x.rows}`,
    );
  }
  const y = t.variable(`${x.name} permuted`, x.columns, "f32", x.rows);
  const stream = t.stream();
  t.record({
    name: y.name,
    inputs: [],
    detached: [x],
    parameters: [],
    forward: () =>
      store(
        t,
        y,
        merge(randoms(t), validRows(t), {
          parts: [layoutScalar, shuffle, permutedColumns],
          constants: { ROWS_source: t.stored(x.rows), COLUMNS_source: x.columns, DRAWS: draws, STREAM: stream },
          buffers: { source: read(t.tensor(x), "array<f32>") },
        }),
      ),
  }, y);
  return y;
}
