/**
 * The values of rows: what kind of numbers they are, and which arrays of a program are taken for them. Where rows come from, and what a
 * model makes of them, is the business of others.
 *
 * @module
 */

import { FileError, firstNonFinite } from "./bounds.ts";
import {
  classesOf,
  type Dataset,
  features,
  type LoadOptions,
  type Reading,
  requireRows,
  type Split,
  typeOf,
  valuePieces,
  withValues,
} from "./dataset.ts";
import { baseOf, piecesOf, type RowChange, type RowReader } from "./row_reader.ts";

/**
 * What values are: only two of them; the 256 of a byte; numbers from 0 to 1; any numbers.
 *
 * Floats 0, 1/255, ..., 1 are bytes too.
 */
export const KINDS = ["binary", "bytes", "unit", "real"] as const satisfies readonly ValueSummary["kind"][];

/** What the values of a dataset are. */
export interface ValueSummary {
  /** How they are kept. */
  readonly type: "bytes" | "floats";
  /** What they are. */
  readonly kind: "binary" | "bytes" | "unit" | "real";
  /** The smallest and the largest as they are kept: bytes from 0 to 255. */
  readonly minimum: number;
  /** The largest. */
  readonly maximum: number;
  /** The share of values that lie in the lower or the upper quarter of [0, 1]: 1 of black and white, about 1/2 of photographs. */
  readonly extremes: number;
  /** √ of the mean of x², bytes as value / 255: how far the values lie from 0. Checkpoints of old lack it. */
  readonly rootMeanSquare?: number;
}

/** {@linkcode ValueSummary}, and what tells whether floats stand for bytes. */
interface Scan extends ValueSummary {
  /** Whether every value is an integer. */
  readonly integers: boolean;
}

/** Numbers of a row or of many, as programs have them. */
export type Numbers =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | readonly number[];

/** What is taken for rows: all their numbers, row-major, or a list of rows. Arrays of bytes stand for value / 255. */
export type RowValues = Numbers | readonly Numbers[];

/** A {@linkcode Split} as a program has it: with any array of numbers. */
export interface SplitInput extends Omit<Split, "values" | "count" | "labels" | "covariates"> {
  /** Row-major [N, D]. */
  readonly values: RowValues;
  /** Left out, as many as there are values for. */
  readonly count?: number;
  /** One class a row, [N]. */
  readonly labels?: Numbers;
  /** Row-major [N, C]. */
  readonly covariates?: Numbers;
}

/** A {@linkcode Dataset} as a program has it. */
export interface DatasetInput extends Omit<Dataset, "train" | "test"> {
  /** Rows to train on. */
  readonly train: SplitInput;
  /** Rows to test on. */
  readonly test: SplitInput;
}

/** Where a value is among rows of a width: `row 3, column 5 (from 0)`. */
export function placeOf(index: number, width: number): string {
  return `row ${Math.floor(index / width)}, column ${index % width} (from 0)`;
}

/**
 * Checks that all numbers are finite.
 *
 * @param what What was to be done with them, or what they are called.
 * @param width D
 * @throws {RangeError} If one is not; the message names its row and column.
 */
export function requireFiniteRows(what: string, values: ArrayLike<number>, width: number): void {
  const place = values instanceof Uint8Array ? -1 : firstNonFinite(values);
  if (place < 0) return;
  throw new RangeError(`Cannot ${what}: expected finite numbers, found ${values[place]} in ${placeOf(place, width)}`);
}

/** What is found by looking at every value once, piece by piece. */
interface Look {
  take(values: Uint8Array | Float32Array): void;
  found(): Scan;
}

/** A root to six digits: whatever the order in which the squares were added. */
const rooted = (square: number) => Number(Math.sqrt(square).toPrecision(6));

function lookAtFloats(): Look {
  let [minimum, maximum, extremes, count, squares] = [Infinity, -Infinity, 0, 0, 0];
  let [integers, grid, binary] = [true, true, true];
  return {
    take(values) {
      count += values.length;
      for (let i = 0; i < values.length; i++) {
        const value = values[i];
        if (value < minimum) minimum = value;
        if (value > maximum) maximum = value;
        if (value < 0.25 || value >= 0.75) extremes++;
        squares += value * value;
        if (binary && value !== 0 && value !== 1) binary = false;
        if (integers && !Number.isInteger(value)) integers = false;
        // float32 keeps k / 255 to 6e-8.
        if (grid && Math.abs(value * 255 - Math.round(value * 255)) > 1e-4) grid = false;
      }
    },
    found() {
      const within = minimum >= 0 && maximum <= 1;
      const kind = binary ? "binary" : !within ? "real" : grid ? "bytes" : "unit";
      const rootMeanSquare = rooted(squares / count);
      return { type: "floats", kind, minimum, maximum, extremes: extremes / count, rootMeanSquare, integers };
    },
  };
}

function lookAtBytes(): Look {
  const counts = new Float64Array(256);
  return {
    take(values) {
      for (let i = 0; i < values.length; i++) counts[values[i]]++;
    },
    found() {
      const minimum = counts.findIndex((n) => n > 0);
      const maximum = counts.findLastIndex((n) => n > 0);
      const all = counts.reduce((sum, n) => sum + n, 0);
      const between = counts.subarray(64, 192).reduce((sum, n) => sum + n, 0);
      const kind = counts[0] + counts[255] === all ? "binary" : "bytes";
      const squares = counts.reduce((sum, n, value) => sum + n * (value / 255) ** 2, 0);
      const rootMeanSquare = rooted(squares / all);
      return { type: "bytes", kind, minimum, maximum, extremes: 1 - between / all, rootMeanSquare, integers: true };
    },
  };
}

/** Looks at every value once. */
function scan(splits: readonly Pick<Split, "values" | "stored">[]): Scan {
  const readers = new Set(splits.map(({ stored }) => stored && baseOf(stored)));
  const [reader] = readers;
  // Rows of one file, which was looked at as a whole.
  if (reader && readers.size === 1) return scanOf(reader);
  const look = splits.every((split) => typeOf(split) === "u8") ? lookAtBytes() : lookAtFloats();
  for (const split of splits) for (const values of valuePieces(split)) look.take(values);
  return look.found();
}

/** What the rows of readers are, once they were looked at. */
const scans = new WeakMap<RowReader, Scan>();

function scanOf(reader: RowReader): Scan {
  const known = scans.get(reader);
  if (known) return known;
  for (const _ of looking(reader));
  return scans.get(reader)!;
}

/** Looks at all rows of a reader in their order; gives how many were seen. */
function* looking(reader: RowReader): Generator<number> {
  const { columns, type, file } = reader;
  const look = type === "u8" ? lookAtBytes() : lookAtFloats();
  let rows = 0;
  for (const values of piecesOf(reader)) {
    const bad = type === "u8" ? -1 : firstNonFinite(values);
    if (bad >= 0) {
      const place = placeOf(rows * columns + bad, columns);
      throw new FileError(file, `expected finite numbers, found ${values[bad]} in ${place}, as float32`);
    }
    look.take(values);
    yield rows += values.length / columns;
  }
  scans.set(reader, look.found());
}

/**
 * Looks at all rows of a reader once, in their order, so that nothing else has to.
 *
 * @throws {FileError} If a number is not finite.
 */
export async function lookAt(
  reader: RowReader,
  { signal, onProgress }: Pick<LoadOptions, "signal" | "onProgress"> = {},
): Promise<void> {
  for (const done of looking(reader)) {
    signal?.throwIfAborted();
    onProgress?.({ what: "rows", done, of: reader.count });
    // So that an interruption is seen.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** What the values of splits are, seen together. */
export function summarizeValues(...splits: readonly Pick<Split, "values" | "stored">[]): ValueSummary {
  return summaryOf(scan(splits));
}

function summaryOf({ integers: _, ...summary }: Scan): ValueSummary {
  return summary;
}

/** `bytes from 0 to 255`, `binary, 0 and 1`. */
export function describeValues({ type, kind, minimum, maximum }: ValueSummary): string {
  const digits = (value: number) => String(Number(value.toPrecision(4)));
  if (kind === "binary") return "binary values (0 and 1)";
  if (type === "bytes") return `bytes from ${minimum} to ${maximum}`;
  if (kind === "bytes") return `numbers from ${digits(minimum)} to ${digits(maximum)} in steps of 1/255`;
  return `numbers from ${digits(minimum)} to ${digits(maximum)}`;
}

/**
 * A dataset as it is trained on, from one of a program or of a file.
 *
 * - Lists and other arrays of numbers become float32; `Uint8ClampedArray` is bytes.
 * - Bytes that are only 0 and 1 are masks: they become 0 and 255, black and white.
 * - Floats that are all integers from 0 to 255 are bytes where that is plain: of images that are brighter than half, and of tables that
 *   reach 255.
 *
 * What was changed is among the remarks of {@linkcode Dataset.reading}. A dataset that needs nothing of it is given back as it is.
 *
 * @throws {RangeError} If there are no rows, values do not fit the shape or are not finite, or labels or covariates are more or fewer
 * than the rows; the message names the part, the row and the column.
 * @throws {TypeError} If something is no array of numbers.
 */
export function settled(given: DatasetInput): Dataset {
  return settle(given).dataset;
}

/** {@linkcode settled}, and what its values are, which were looked at for it. */
export function settle(given: DatasetInput): { readonly dataset: Dataset; readonly range: ValueSummary } {
  const { name, shape } = given;
  const train = splitOf(given, "train");
  const test = given.test === given.train ? train : splitOf(given, "test");
  const classes = given.classes ?? classesOf(train, test);
  requireLabels(name, classes, { train, test });
  const found = scan([train, test]);
  const [scaled, remark] = scaling(found, shape);
  const change = (split: Split): Split => scaled ? withValues(split, scaled) : split;
  const first = change(train);
  const changed = { train: first, test: test === train ? first : change(test) };
  const range = scaled ? summarizeValues(changed.train, changed.test) : summaryOf(found);
  if (changed.train === given.train && changed.test === given.test && classes === given.classes) {
    return { dataset: given as Dataset, range };
  }
  const reading: Reading | undefined = remark
    ? { ...given.reading, remarks: [...given.reading?.remarks ?? [], remark] }
    : given.reading;
  return {
    dataset: { ...given, ...changed, ...(classes ? { classes } : {}), ...(reading ? { reading } : {}) },
    range,
  };
}

/** What becomes of values that mean others than they are, and how that is said. */
function scaling(
  { type, kind, minimum, maximum, integers }: Scan,
  shape: Dataset["shape"],
): readonly [RowChange, string] | readonly [] {
  const columns = features(shape);
  if (type === "bytes" && maximum === 1) return [masks(columns), "bytes that are only 0 and 1: masks"];
  const ofBytes = shape[0] > 1 ? maximum >= 128 : maximum === 255;
  if (type === "bytes" || kind !== "real" || !integers || minimum < 0 || maximum > 255 || !ofBytes) return [];
  const remark = `whole numbers from ${minimum} to ${maximum}: taken as bytes, each value / 255`;
  return [{ type: "u8", columns, apply: (rows, out) => out.set(rows) }, remark];
}

/** 0 and 1 as 0 and 255. */
function masks(columns: number): RowChange {
  const apply: RowChange["apply"] = (rows, out) => {
    for (let i = 0; i < rows.length; i++) out[i] = 255 * rows[i];
  };
  return { type: "u8", columns, apply };
}

/** A part of a dataset in the arrays that the engine takes. */
function splitOf({ name, shape, ...parts }: DatasetInput, part: "train" | "test"): Split {
  const what = `use the ${part === "train" ? "training" : "test"} rows of "${name}"`;
  return splitFrom(what, parts[part], features(shape), shape);
}

/**
 * Rows in the arrays that the engine takes: bytes, or float32.
 *
 * @param what What was to be done with them, for messages.
 * @param width D
 * @throws {RangeError} As {@linkcode settled}.
 * @throws {TypeError} As {@linkcode settled}.
 */
function splitFrom(what: string, given: SplitInput, width: number, shape: Dataset["shape"]): Split {
  if (given.stored) {
    requireRows(what, shape, given as Split);
    // Whether they are finite is seen on the way.
    scanOf(baseOf(given.stored));
    return given as Split;
  }
  const values = storable(what, given.values, width);
  const count = given.count ?? values.length / width;
  const same = values === given.values && count === given.count &&
    (!given.labels || given.labels instanceof Uint8Array) &&
    (!given.covariates || given.covariates instanceof Float32Array);
  const { labels, covariates, values: _, count: __, ...rest } = given;
  const split: Split = same ? given as Split : {
    ...rest,
    values,
    count,
    ...(labels ? { labels: labelsFrom(what, labels) } : {}),
    ...(covariates ? { covariates: Float32Array.from(covariates) } : {}),
  };
  requireRows(what, shape, split);
  requireFiniteRows(what, values, width);
  return split;
}

/** Bytes as they are, all other numbers as float32. */
function storable(what: string, given: RowValues, width: number): Split["values"] {
  return bytesFrom(what, given, width) ?? numbersFrom(what, given, width);
}

/** What is in arrays of bytes, as one; undefined where it is in others. */
function bytesFrom(what: string, given: RowValues, width: number): Uint8Array<ArrayBuffer> | undefined {
  if (given instanceof Uint8Array) return given as Uint8Array<ArrayBuffer>;
  if (given instanceof Uint8ClampedArray) return new Uint8Array(given);
  if (!Array.isArray(given) || given.length === 0) return undefined;
  if (!given.every((row) => row instanceof Uint8Array || row instanceof Uint8ClampedArray)) return undefined;
  const all = new Uint8Array(given.length * width);
  for (const [i, row] of given.entries()) {
    requireWidth(what, row, width, i);
    all.set(row, i * width);
  }
  return all;
}

function requireWidth(what: string, row: ArrayLike<number>, width: number, i: number): void {
  if (row.length === width) return;
  throw new RangeError(`Cannot ${what}: expected ${width} values in row ${i} (from 0), found ${row.length}`);
}

/**
 * Numbers as float32, whatever array they are in.
 *
 * @param what What was to be done with them, for messages.
 * @param width How many each row of a list of rows must have.
 * @throws {TypeError} If it is no array of numbers.
 * @throws {RangeError} If a row of a list is longer or shorter.
 */
export function numbersFrom(what: string, given: RowValues, width: number): Float32Array<ArrayBuffer> {
  if (given instanceof Float32Array) return given as Float32Array<ArrayBuffer>;
  const refuse = (found: string): never => {
    throw new TypeError(`Cannot ${what}: expected an array of numbers, or a list of rows, found ${found}`);
  };
  const isTyped = ArrayBuffer.isView(given) && !(given instanceof DataView);
  if (isTyped && typeof (given as ArrayLike<unknown>)[0] !== "bigint") {
    return Float32Array.from(given as ArrayLike<number>);
  }
  if (!Array.isArray(given)) return refuse(nameOf(given));
  const isList = given.some((row) => typeof row === "object" && row !== null);
  if (!isList) {
    const bad = given.findIndex((value) => typeof value !== "number");
    if (bad >= 0) return refuse(`${nameOf(given[bad])} in ${placeOf(bad, width)}`);
    return Float32Array.from(given);
  }
  const out = new Float32Array(given.length * width);
  for (const [i, row] of given.entries()) {
    const values = typeof row === "object" && row !== null ? numbersFrom(`${what} (row ${i})`, row, width) : undefined;
    if (!values) return refuse(`${nameOf(row)} in place of row ${i}`);
    requireWidth(what, values, width, i);
    out.set(values, i * width);
  }
  return out;
}

function nameOf(value: unknown): string {
  if (typeof value === "string") return `the text ${JSON.stringify(value)}`;
  if (value === null || typeof value !== "object") return String(value);
  return `a ${value.constructor?.name ?? "object"}`;
}

/**
 * Rows as a model is given them, values from 0 to 1 where they are bytes.
 *
 * @param what What was to be done with them, for messages.
 * @param width D
 * @param kind Of the data that the model was trained on: to a model of binary data, bytes of 0 and 1 are masks.
 * @param put What stands in the place of a number that is not to be read.
 * @throws {RangeError} If they are no whole rows, a number is not finite, or whole numbers beyond 1 stand for bytes.
 */
export function inputRows(
  what: string,
  given: RowValues,
  width: number,
  kind?: ValueSummary["kind"],
  put?: (value: number, index: number) => number,
): Float32Array<ArrayBuffer> {
  const bytes = bytesFrom(what, given, width);
  if (bytes) {
    const unit = kind === "binary" && bytes.every((value) => value <= 1) ? 1 : 1 / 255;
    return Float32Array.from(bytes, (value, i) => put ? put(value * unit, i) : value * unit);
  }
  const numbers = numbersFrom(what, given, width);
  const values = put ? numbers.map(put) : numbers;
  requireFiniteRows(what, values, width);
  if (kind && kind !== "real" && values.some((value) => value > 1)) {
    const { maximum, minimum, integers } = scan([{ values }]);
    if (integers && minimum >= 0 && maximum <= 255) {
      throw new RangeError(
        `Cannot ${what}: expected numbers from 0 to 1, as in training, found whole numbers from ${minimum} to ${maximum}; ` +
          "divide them by 255, or give them as a Uint8Array",
      );
    }
  }
  return values;
}

/**
 * Rows of a program to measure, in the arrays that the engine takes.
 *
 * @param kind Of the data that the model was trained on.
 * @throws {RangeError} As {@linkcode settled}.
 */
export function settledSplit(
  what: string,
  given: SplitInput,
  shape: Dataset["shape"],
  kind: ValueSummary["kind"] | undefined,
): Split {
  const split = splitFrom(what, given, features(shape), shape);
  if (kind !== "binary" || typeOf(split) !== "u8") return split;
  const isMask = split.stored ? scan([split]).maximum === 1 : split.values.every((value) => value <= 1);
  return isMask ? withValues(split, masks(features(shape))) : split;
}

function labelsFrom(what: string, labels: Numbers): Uint8Array<ArrayBuffer> {
  const bad = Array.from(labels).findIndex((label) => !Number.isInteger(label) || label < 0 || label > 255);
  if (bad < 0) return Uint8Array.from(labels);
  throw new RangeError(`Cannot ${what}: expected labels from 0 to 255, found ${labels[bad]} in row ${bad} (from 0)`);
}

function requireLabels(
  name: string,
  classes: number | undefined,
  splits: Readonly<Record<string, Split>>,
): void {
  for (const [part, { labels }] of Object.entries(splits)) {
    const bad = classes === undefined || !labels ? -1 : labels.findIndex((label) => label >= classes);
    if (bad < 0) continue;
    throw new RangeError(
      `Cannot use the ${part} rows of "${name}": expected labels below ${classes}, the number of classes, ` +
        `found ${labels![bad]} in row ${bad} (from 0)`,
    );
  }
}
