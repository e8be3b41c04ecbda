/**
 * What the engine knows of data: rows of bytes or floats with a shape, and labels where there are any.
 * Where the rows come from (files, packages, generators) is the business of `datasets/`.
 *
 * @module
 */

/** Rows of data. N rows of D = height x width x channels features. */
export interface Split {
  /** Row-major [N, D]. Bytes stand for value / 255. */
  readonly values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  /** Number of rows, N. */
  readonly count: number;
  /** One class a row, [N]. */
  readonly labels?: Uint8Array<ArrayBuffer>;
}

/** A dataset with its train and test rows in memory. */
export interface Dataset {
  /** The name in `--dataset` and in checkpoints. */
  readonly name: string;
  /** [height, width, channels]; a table of D columns is [1, D, 1]. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Number of classes, where there are labels. */
  readonly classes?: number;
  readonly train: Split;
  readonly test: Split;
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
  };
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
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}
