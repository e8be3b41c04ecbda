/**
 * From the named arrays of a .npz or .mat file to rows: which array is the data, the labels, the covariates, the test rows.
 *
 * @module
 */

import { classesOf, type Reading } from "../core/dataset.ts";
import { FileError } from "../core/bounds.ts";
import { classesIn } from "./classes.ts";
import { fromColumnMajor } from "./elements.ts";
import { arrayNamed, DATA_NAMES, NAME_ARRAYS, type Part, rowAxis, withoutOneHot } from "./layout.ts";
import { withFactors } from "./factors.ts";
import { type NumericArray, type Rows, rowsOf, type StoredArray } from "./rows.ts";

/** Arrays whose shapes are looked at where none has the name of data. */
const MOST_ARRAYS = 1000;

/** What a file gave: all the rows together, or the two parts. */
export interface Parts {
  readonly train: Rows;
  readonly test?: Rows;
}

/** The arrays of a part of the data by what they are, each with its name. */
type Named = Partial<Record<"data" | "labels" | "covariates", readonly [name: string, array: StoredArray]>>;

/** The arrays by part and by what they are; the first of a name counts. */
function sorted(arrays: ReadonlyMap<string, StoredArray>): Readonly<Record<Part | "all", Named>> {
  const found: Record<Part | "all", Named> = { all: {}, train: {}, validation: {}, test: {} };
  for (const [name, array] of arrays) {
    const known = arrayNamed(name);
    if (known) found[known.part ?? "all"][known.of] ??= [name, array];
  }
  return found;
}

/** The array with the data where none has such a name: the only one that can be. */
function onlyOne(arrays: ReadonlyMap<string, StoredArray>, path: string): readonly [string, StoredArray] {
  if (arrays.size > MOST_ARRAYS) {
    throw new FileError(path, `expected an array called ${DATA_NAMES.join(", ")}, found ${arrays.size} of other names`);
  }
  const all = [...arrays].map(([name, array]) => ({ name, array, shape: array.shape }));
  const candidates = all.filter(({ name, shape, array }) =>
    !array.holds && shape.filter((size) => size > 1).length > 1 && arrayNamed(name) === undefined
  );
  if (candidates.length === 1) return [candidates[0].name, candidates[0].array];
  throw new FileError(
    path,
    `expected an array called ${DATA_NAMES.join(", ")}, or one array only, found ${
      all.slice(0, 8).map(({ name, shape, array: { holds } }) =>
        `${name} [${shape.join(", ")}]${holds ? ` (${holds})` : ""}`
      ).join(", ") || "none"
    }${all.length > 8 ? ", ..." : ""}`,
  );
}

/** How the numbers of a file's arrays lie: in NumPy's order of axes, or in MATLAB's, which counts images last. */
type Order = "rows" | "columns";

/** The array with these axes, row-major. */
function permuted({ shape, values }: NumericArray, order: Order, axes: readonly number[]): NumericArray {
  if (order === "columns") return fromColumnMajor({ shape, values }, axes);
  // A row-major array is a column-major one of its axes from the last to the first.
  return fromColumnMajor({ shape: shape.toReversed(), values }, axes.map((axis) => shape.length - 1 - axis));
}

/** How many data labels are for: [N], or one-hot [N, K] or [K, N]. */
function labelCount({ shape, values }: NumericArray, data: readonly number[]): number {
  if (shape.filter((size) => size > 1).length < 2) return values.length;
  return shape.find((size) => size === data[0] || size === data.at(-1)) ?? shape[0];
}

/**
 * Rows of arrays whose rows may be counted by their first axis or by their last.
 *
 * @throws {FileError} If it can't be told, or {@linkcode rowsOf} refuses them.
 */
export function arrangedRows(
  data: NumericArray,
  path: string,
  { labels, covariates, order = "rows" }: {
    readonly labels?: NumericArray;
    readonly covariates?: NumericArray;
    readonly order?: Order;
  } = {},
): Rows {
  const { shape } = data;
  const count = labels && labelCount(labels, shape);
  const { axis, remark } = rowAxis(shape, path, { labels: count, last: order === "columns" });
  const axes = [axis, ...shape.keys().filter((each) => each !== axis)];
  const turned = axis !== 0 && shape.length === 2;
  const numbers = (array: NumericArray) => permuted(array, order, [...array.shape.keys()]);
  const rows = rowsOf(permuted(data, order, axes), path, {
    labels: labels && withoutOneHot(numbers(labels), shape[axis]),
    covariates: covariates && (turned ? permuted(covariates, order, [1, 0]) : numbers(covariates)),
  });
  return remark ? { ...rows, reading: { ...rows.reading, remarks: [remark] } } : rows;
}

/** The rows of the arrays of an .npz file. */
export function namedParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
  return partsOf(arrays, path, "rows");
}

/** The same of a .mat file. MATLAB's order of axes: a table has a row for each datum (or, as the labels say, a column); images are counted last. */
export function matrixParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
  return partsOf(arrays, path, "columns");
}

/** Why an array that is not used is none that is: nobody needs it to be sound. */
function heldBy(array: StoredArray): string {
  try {
    return array.holds ?? "neither data nor labels";
  } catch (error) {
    if (error instanceof FileError) return "damaged";
    throw error;
  }
}

/** What the texts beside the data name: the columns of a table, the rows, the classes of integer labels. */
interface Names {
  readonly found: Partial<Record<keyof typeof NAME_ARRAYS, readonly string[]>>;
  /** The arrays that they are from, and what each names. */
  readonly from: ReadonlyMap<string, string>;
}

const NAMED = { columns: "columns", rowNames: "rows", classNames: "classes" } as const;

/** @param divided Whether the rows are not all there are: then they have no names of their own. */
function namesBeside(
  arrays: ReadonlyMap<string, StoredArray>,
  rows: Rows,
  divided: boolean,
): Names {
  const { shape, count, classNames } = rows;
  const counts = {
    columns: shape[0] === 1 && shape[2] === 1 && shape[1] !== count ? shape[1] : 0,
    rowNames: divided ? 0 : count,
    classNames: classNames ? 0 : classesOf(rows) ?? 0,
  };
  const found: Partial<Record<keyof typeof NAME_ARRAYS, readonly string[]>> = {};
  const from = new Map<string, string>();
  for (const [what, known] of Object.entries(NAME_ARRAYS) as [keyof typeof NAME_ARRAYS, readonly string[]][]) {
    for (const [name, array] of arrays) {
      if (counts[what] === 0 || !known.includes(name.toLowerCase())) continue;
      const texts = soundTexts(array);
      // A class may have no rows.
      const fits = what === "classNames"
        ? texts.length >= counts[what] && texts.length <= 256
        : texts.length === counts[what];
      if (!fits || (what !== "rowNames" && new Set(texts).size < texts.length)) continue;
      found[what] = texts;
      from.set(name, NAMED[what]);
      break;
    }
  }
  return { found, from };
}

/** The texts of an array; none where it holds others or is damaged: nobody needs it to be sound. */
function soundTexts(array: StoredArray): readonly string[] {
  try {
    return array.texts?.() ?? [];
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}

function partsOf(given: ReadonlyMap<string, StoredArray>, path: string, order: Order): Parts {
  const { arrays, names, sources } = withFactors(given, path, order === "rows");
  const { all, train: ownTrain, validation, test } = sorted(arrays);
  // Where only the test rows are named after their part, the others are the training rows.
  const train: Named = ownTrain.data ? ownTrain : { ...all, ...ownTrain };
  const data = train.data ?? onlyOne(arrays, path);
  const held = test.data ? test : validation;
  const used = new Set<string>();
  const parts: readonly Named[] = [{ ...train, data }, ...held.data ? [held] : []];
  const { labels, classNames } = classesIn(parts.map((part) => part.labels?.[1]), path);
  const [first, second] = parts.map(({ data, labels: named, covariates }, i): Rows => {
    for (const array of [data, named, covariates]) if (array) used.add(array[0]);
    const rows = arrangedRows(data![1].read(), path, { labels: labels[i], covariates: covariates?.[1].read(), order });
    return { ...rows, ...(classNames ? { classNames } : {}), ...(names && rows.names ? { names } : {}) };
  });
  const named = namesBeside(arrays, first, second !== undefined);
  for (const name of named.from.keys()) used.add(name);
  const remarks = [
    ...first.reading?.remarks ?? [],
    ...named.from.entries().map(([name, what]) => `${what} named by ${name}`),
  ];
  const passedOver = [...given.entries().filter(([name]) => !used.has(name) && !sources.has(name)).take(MOST_ARRAYS)]
    .map(
      ([name, array]) => ({
        name,
        why: arrayNamed(name)?.part === "validation" ? "a run divides its own" : heldBy(array),
      }),
    );
  const reading: Reading = {
    values: [data[0], ...held.data ? [held.data[0]] : []],
    ...(train.labels ? { labels: train.labels[0] } : {}),
    ...(passedOver.length ? { passedOver } : {}),
    ...(remarks.length ? { remarks } : {}),
  };
  return { train: { ...first, ...named.found, reading }, ...(second ? { test: second } : {}) };
}
