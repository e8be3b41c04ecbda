/**
 * From the named arrays of a .npz or .mat file to rows: which array is the data, the labels, the covariates, the test rows.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { fromColumnMajor } from "./elements.ts";
import { type Rows, rowsOf, type StoredArray } from "./rows.ts";

/** Arrays whose shapes are looked at where none has the name of data. */
const MOST_ARRAYS = 1000;

/** What a file gave: all the rows together, or the two parts. */
export interface Parts {
  readonly train: Rows;
  readonly test?: Rows;
}

/** Names of the array with the data, of the one with the labels, and of the one with the covariates, in .npz and .mat files. */
const DATA = ["x", "data", "images"];
const LABELS = ["y", "labels", "label"];
const COVARIATES = ["c", "covariates"];

/** By name, whatever the case. */
function named(arrays: ReadonlyMap<string, StoredArray>, names: readonly string[]): StoredArray | undefined {
  return arrays.entries().find(([name]) => names.includes(name.toLowerCase()))?.[1];
}

/** The array with the data: by its name, or the only one that can be. */
function dataOf(arrays: ReadonlyMap<string, StoredArray>, path: string): StoredArray {
  const data = named(arrays, DATA);
  if (data) return data;
  if (arrays.size > MOST_ARRAYS) {
    throw new FileError(path, `expected an array called ${DATA.join(", ")}, found ${arrays.size} of other names`);
  }
  const all = [...arrays].map(([name, array]) => ({ name, array, shape: array.shape }));
  const candidates = all.filter(({ name, shape }) =>
    shape.filter((size) => size > 1).length > 1 && !COVARIATES.includes(name.toLowerCase())
  );
  if (candidates.length === 1) return candidates[0].array;
  throw new FileError(
    path,
    `expected an array called ${DATA.join(", ")}, or one array only, found ${
      all.slice(0, 8).map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ") || "none"
    }${all.length > 8 ? ", ..." : ""}`,
  );
}

/** The rows of the arrays of an .npz file. */
export function namedParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
  const rows = (data: StoredArray, end: string): Rows => {
    const besides = (names: readonly string[]) => named(arrays, names.map((name) => name + end))?.read();
    return rowsOf(data.read(), path, { labels: besides(LABELS), covariates: besides(COVARIATES) });
  };
  const [train, test] = ["_train", "_test"].map((end) => named(arrays, DATA.map((name) => name + end)));
  if (train && test) return { train: rows(train, "_train"), test: rows(test, "_test") };
  return { train: rows(dataOf(arrays, path), "") };
}

/** The same of a .mat file. MATLAB's order of axes: a table has a row for each datum (or, as the labels say, a column); images are counted last. */
export function matrixParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
  const data = dataOf(arrays, path).read();
  const labels = named(arrays, LABELS)?.read();
  const last = data.shape.length - 1;
  const inColumns = labels && labels.values.length !== data.shape[0] && labels.values.length === data.shape[last];
  const first = last > 1 || inColumns ? last : 0;
  const axes = [first, ...data.shape.keys().filter((axis) => axis !== first)];
  const covariates = named(arrays, COVARIATES)?.read();
  return {
    train: rowsOf(fromColumnMajor(data, axes), path, {
      labels,
      covariates: covariates && fromColumnMajor(covariates, inColumns ? [1, 0] : [0, 1]),
    }),
  };
}
