/**
 * From an array that a file held to the rows of a dataset: which axis counts, what the others mean, which labels go
 * along, and how rows are divided into train and test. This file opens no file and knows no format.
 *
 * @module
 */

import {
  type Dataset,
  features,
  type Reading,
  slice,
  type Split,
  storedSplit,
  withBesides,
  withStored,
} from "../core/dataset.ts";
import { changedRows, pickedRows, type RowReader } from "../core/row_reader.ts";
import { FileError } from "../core/bounds.ts";
import { permuted } from "../core/graph/random.ts";

/** An array of numbers, row-major. Bytes stand for value / 255, floats for themselves. */
export interface NumericArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

/** An array in a file: its shape can be asked for before its numbers are read, or instead. */
export interface StoredArray {
  readonly shape: readonly number[];
  /** What it holds in place of numbers: `text`, `Python objects`, `a sparse matrix`. */
  readonly holds?: string;
  /** Its texts, where it holds such, in row-major order. */
  readonly texts?: () => string[];
  /** @throws {FileError} If it holds no numbers. */
  read(): NumericArray;
}

/** Rows not yet divided. */
export interface Rows extends Split {
  readonly shape: Dataset["shape"];
  /** What the covariates are called, where there are any. */
  readonly names?: readonly string[];
  /** What the classes are called, where they have names. */
  readonly classNames?: readonly string[];
  /** What the columns of a table are called. */
  readonly columns?: readonly string[];
  /** What each row is called, by its number. */
  readonly rowNames?: readonly string[];
  /** What was read, and what was not. */
  readonly reading?: Reading;
}

/** The part of the rows that becomes the test rows, where nobody said which. */
export const TEST_PART = 1 / 6;

/**
 * The rows of an array by its shape: [N, D] is a table, [N, height, width] grey images, [N, height, width, channels]
 * images of 1 or 3 channels; so is [N, channels, height, width], whose values are put in order in place.
 *
 * @throws {Error} If it has another shape or no values, or a float is not finite.
 */
export function rowsOf(
  { shape, values }: NumericArray,
  file: string,
  { labels, covariates }: { readonly labels?: NumericArray; readonly covariates?: NumericArray } = {},
): Rows {
  const [count] = shape;
  const row = rowShapeOf(shape, file);
  if (row.planar) interleave(values, row.shape);
  if (values instanceof Float32Array) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new FileError(
        file,
        `expected finite numbers, found ${values[bad]} in ${placeOf(bad, features(row.shape))}`,
      );
    }
  }
  return {
    ...{ shape: row.shape, count, values },
    ...(labels ? { labels: labelsOf(labels, count, file) } : {}),
    ...(covariates ? covariatesOf(covariates, count, file) : {}),
  };
}

/**
 * As {@linkcode rowsOf}, of rows that are read as they are wanted.
 *
 * @param shape Of the array that they lie in, rows first.
 */
export function storedRowsOf(reader: RowReader, shape: readonly number[], labels: NumericArray | undefined): Rows {
  const { file, type, columns, count } = reader;
  const row = rowShapeOf(shape, file);
  const apply = (rows: NumericArray["values"], out: NumericArray["values"]) => {
    out.set(rows);
    interleave(out, row.shape);
  };
  const stored = row.planar ? changedRows(reader, { type, columns, apply }) : reader;
  const split = storedSplit(stored, labels ? { labels: labelsOf(labels, count, file) } : {});
  return withBesides(split as Rows, { shape: row.shape });
}

/** The shape of a row of an array, and whether its channels lie apart. */
function rowShapeOf(shape: readonly number[], file: string): { shape: Dataset["shape"]; planar: boolean } {
  if (shape.length < 2 || shape.length > 4 || shape.includes(0)) {
    throw new FileError(
      file,
      "expected rows of numbers, as [N, D], [N, height, width] or [N, height, width, channels], " +
        `found the shape [${shape.join(", ")}]`,
    );
  }
  const row = rowShape(shape.slice(1));
  if (row) return row;
  throw new FileError(file, `expected images of 1 or 3 channels, found the shape [${shape.join(", ")}]`);
}

/**
 * The covariates of every row, from [N, C] or [N].
 *
 * @throws {Error} If there are more or fewer rows of them, or one is not finite.
 */
function covariatesOf(
  { shape, values }: NumericArray,
  count: number,
  file: string,
): Pick<Rows, "covariates" | "names"> {
  if (shape[0] !== count || shape.length > 2) {
    throw new FileError(
      file,
      `expected covariates of the shape [${count}, C], found the shape [${shape.join(", ")}]`,
    );
  }
  const [, columns = 1] = shape;
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new FileError(file, `expected finite covariates, found ${values[bad]} in ${placeOf(bad, columns)}`);
  }
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  return { covariates: Float32Array.from(values), names };
}

/** Where a number is among rows of a width. Those beyond the range of float32 have become infinite. */
function placeOf(index: number, width: number): string {
  return `row ${Math.floor(index / width)}, column ${index % width} (from 0), as float32`;
}

/** What the axes after the first say. */
function rowShape([first, ...rest]: readonly number[]): { shape: Dataset["shape"]; planar: boolean } | undefined {
  if (rest.length === 0) return { shape: [1, first, 1], planar: false };
  if (rest.length === 1) return { shape: [first, rest[0], 1], planar: false };
  const isChannels = (size: number) => size === 1 || size === 3;
  if (isChannels(rest[1])) return { shape: [first, rest[0], rest[1]], planar: false };
  if (isChannels(first)) return { shape: [rest[0], rest[1], first], planar: true };
  return undefined;
}

/** [N, channels, height, width] -> [N, height, width, channels], one image after the other. */
function interleave(values: NumericArray["values"], [height, width, channels]: Dataset["shape"]): void {
  if (channels === 1) return;
  const size = height * width * channels;
  for (let start = 0; start < values.length; start += size) {
    const image = values.slice(start, start + size);
    for (let i = 0; i < size; i++) {
      values[start + i] = image[(i % channels) * height * width + Math.floor(i / channels)];
    }
  }
}

/**
 * One label a row, from [N], [N, 1] or [1, N].
 *
 * @throws {Error} If there are more or fewer, or one is no integer from 0 to 255.
 */
export function labelsOf({ shape, values }: NumericArray, count: number, file: string): Uint8Array<ArrayBuffer> {
  if (values.length !== count || shape.filter((size) => size !== 1).length > 1) {
    throw new FileError(
      file,
      `expected a label for each of ${count} rows, found labels of the shape [${shape.join(", ")}]`,
    );
  }
  const bad = values.findIndex((value) => !Number.isInteger(value) || value < 0 || value > 255);
  if (bad < 0) return Uint8Array.from(values);
  throw new FileError(
    file,
    `expected labels to be integers from 0 to 255, found ${values[bad]} in row ${bad} (from 0)`,
  );
}

/** How many of `count` rows are test rows: {@linkcode TEST_PART}, but one at least. */
export function testCount(count: number, file: string): number {
  if (count < 2) {
    throw new FileError(file, `expected at least 2 rows, one to train and one to test on, found ${count}`);
  }
  return Math.max(1, Math.floor(count * TEST_PART));
}

/** Which row of the file comes to a place, when all are mixed by the seed. */
export function rowAt(place: number, count: number, seed: number): number {
  return permuted(place, count, seed, 0);
}

/**
 * Mixes the rows in place by the seed, and divides them: the first are to train on, the last to test on. The training
 * rows of any number are then a sample of all, so that a validation part can be cut off their end.
 */
export function divide(rows: Split, seed: number, file: string): { readonly train: Split; readonly test: Split } {
  const { count } = rows;
  const test = testCount(count, file);
  const all = mixed(rows, seed);
  return { train: slice(all, 0, count - test), test: slice(all, count - test, count) };
}

/** The rows mixed in place by the seed; each keeps its number. */
export function mixed(rows: Split, seed: number): Split {
  const { stored, count, labels, covariates, missing } = rows;
  const counted = () => Uint32Array.from({ length: count }, (_, i) => i);
  const rowNumbers = rows.rowNumbers ?? counted();
  // Rows that are read as they are wanted stay where they are: it is their places that are mixed.
  const places = stored && counted();
  for (const all of [places ?? rows.values, labels, covariates, missing, rowNumbers]) {
    if (all) mixRows(all, all.length / count, count, seed);
  }
  const numbered = withBesides(rows, { rowNumbers });
  return stored ? withStored(numbered, pickedRows(stored, places!)) : numbered;
}

/** Puts row rowAt(i) at place i, cycle by cycle: one row is held at a time, not a second copy of all. */
function mixRows(values: NumericArray["values"] | Uint32Array, width: number, count: number, seed: number): void {
  const done = new Uint8Array(count);
  for (let start = 0; start < count; start++) {
    if (done[start]) continue;
    const first = values.slice(start * width, (start + 1) * width);
    let place = start;
    for (;;) {
      done[place] = 1;
      const from = rowAt(place, count, seed);
      if (from === start) break;
      values.copyWithin(place * width, from * width, (from + 1) * width);
      place = from;
    }
    values.set(first, place * width);
  }
}
