/**
 * Rows of an open dataset, as every engine gives them.
 *
 * @module
 */

import { type Dataset, dataShape, pick, requireRows, type Split } from "../core/dataset.ts";
import type { DataInfo, RowsOf } from "./engine.ts";

/**
 * What the page must know of a dataset.
 *
 * @throws {RangeError} If its rows are not of its shape.
 */
export function describeRows(dataset: Dataset): DataInfo {
  const { name, shape, train, test } = dataset;
  requireRows(`use the training rows of "${name}"`, shape, train);
  requireRows(`use the test rows of "${name}"`, shape, test);
  return { name, ...dataShape(dataset), train: train.count, test: test.count };
}

/**
 * Rows by their numbers, or the first.
 *
 * @throws {RangeError} If there is no such row.
 */
export function chosenRows(dataset: Dataset | undefined, { split, rows, count }: RowsOf): Split {
  if (!dataset) throw new Error("Cannot read rows: expected an open dataset, found none");
  const all = dataset[split];
  const wanted = rows ?? Array.from({ length: Math.min(count ?? all.count, all.count) }, (_, i) => i);
  const wrong = wanted.find((row) => !Number.isInteger(row) || row < 0 || row >= all.count);
  if (wrong !== undefined) {
    throw new RangeError(`Cannot read row ${wrong} of "${dataset.name}": expected one of ${all.count}`);
  }
  return pick(all, wanted);
}

/** Values of rows [N, D], bytes as value / 255, and their labels. */
export function shownRows(
  dataset: Dataset | undefined,
  which: RowsOf,
): { x: Float32Array<ArrayBuffer>; labels?: ArrayLike<number> } {
  const { values, labels } = chosenRows(dataset, which);
  const scale = values instanceof Uint8Array ? 1 / 255 : 1;
  return { x: Float32Array.from(values, (value) => value * scale), labels };
}
