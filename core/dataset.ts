/**
 * What the engine knows of data: rows of bytes or floats with a shape, and labels where there are any.
 * Where the rows come from (files, packages, generators) is the business of `datasets/`.
 *
 * @module
 */

/** What is known of how each row was made: F numbers a row, such as the shape, size and place of a sprite. */
export interface Factors {
  /** What the columns are called, [F]. */
  readonly names: readonly string[];
  /** Row-major [N, F]. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Rows of data. N rows of D = height x width x channels features. */
export interface Split {
  /** Row-major [N, D]. Bytes stand for value / 255. */
  readonly values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** Number of rows, N. */
  readonly count: number;
  /** One class a row, [N]. */
  readonly labels?: Uint8Array<ArrayBuffer>;
  /** Where the rows were made from known factors. */
  readonly factors?: Factors;
}

/** A dataset with its train and test rows in memory. */
export interface Dataset {
  /** The name in `--dataset` and in checkpoints: of a known dataset, or the absolute path of files. */
  readonly name: string;
  /** [height, width, channels]; a table of D columns is [1, D, 1]. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Number of classes, where there are labels. */
  readonly classes?: number;
  readonly train: Split;
  readonly test: Split;
  /** What the rows were divided into train and test by, or made by, where that was not done by others. */
  readonly seed?: number;
}

/** D, the number of features of a datum. */
export function features(shape: Dataset["shape"]): number {
  return shape[0] * shape[1] * shape[2];
}

/** The rows `from` to `to` (exclusive) of a split, without copying. */
export function slice(split: Split, from: number, to: number): Split {
  const width = split.values.length / split.count;
  return {
    values: split.values.subarray(from * width, to * width),
    count: to - from,
    ...(split.labels ? { labels: split.labels.subarray(from, to) } : {}),
    ...(split.factors ? { factors: sliceFactors(split.factors, from, to) } : {}),
  };
}

function sliceFactors({ names, values }: Factors, from: number, to: number): Factors {
  return { names, values: values.subarray(from * names.length, to * names.length) };
}

/** What a dataset module in `datasets/` gives. */
export interface DatasetSource {
  readonly name: string;
  /** One line: what it is. */
  readonly summary: string;
  /** Where it comes from: the publication, and what serves the files. */
  readonly source: string;
  /** Fetches (first use) or reads (afterwards) the data, and verifies it. */
  load(options?: LoadOptions): Promise<Dataset>;
}

/** How {@linkcode DatasetSource.load} is called. */
export interface LoadOptions {
  /** Folder holding the raw files, in place of the fetched ones. */
  readonly folder?: string;
  /** Divides the rows into train and test where the source does not, and makes the rows that are generated. Default: 0. */
  readonly seed?: number;
  /** Height and width of images that are generated, in pixels. Default: the dataset's own. */
  readonly size?: number;
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}
