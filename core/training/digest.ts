/**
 * What data are recognized by: a number that follows from every row, its place in the file and its label, so that other data under an old
 * name are noticed. It is no cryptographic hash: it guards against mistakes, not against anyone.
 *
 * @module
 */

import { type Dataset, features, pick, type Split } from "../dataset.ts";
import type { RowArray } from "../row_reader.ts";

/** What rows of one file are recognized by. */
export interface PartDigest {
  /** Number of rows. */
  readonly count: number;
  /** Sixteen hexadecimal digits each: the sum over the rows of a hash of the values, or of the label, with the row's number. */
  readonly values: string;
  /** That of the labels, where there are any. */
  readonly labels?: string;
  /** That of the covariates, where there are any. */
  readonly covariates?: string;
}

/**
 * What a dataset is recognized by. `all`: one file, whose rows are numbered through, however they are divided into train and test; else
 * `train` and `test`, which are files of their own.
 */
export interface Digest {
  /** Of all rows, where the run divided them. */
  readonly all?: PartDigest;
  /** Of the training rows. */
  readonly train?: PartDigest;
  /** Of the test rows. */
  readonly test?: PartDigest;
}

/** Values that are looked at, about: of more, every n-th row by its number. Labels are looked at all. */
const SAMPLED = 2 ** 24;

/** Whether train and test rows are those of one file. */
export function isOneFile({ train, test }: Pick<Dataset, "train" | "test">): boolean {
  return train === test || (train.rowNumbers !== undefined && test.rowNumbers !== undefined);
}

/** The digest of a dataset. The same rows give the same one in memory and from any file format. */
export function digestOf(dataset: Pick<Dataset, "train" | "test" | "shape">): Digest {
  const { train, test, shape } = dataset;
  const width = features(shape);
  if (train === test) return { all: partDigest([train], width) };
  if (isOneFile(dataset)) return { all: partDigest([train, test], width) };
  return { train: partDigest([train], width), test: partDigest([test], width) };
}

/**
 * What is other in data than in those of a digest, in words; nothing where they are the same.
 *
 * @param was The digest of a run.
 */
export function differences(was: Digest, is: Digest): string[] {
  const found: string[] = [];
  for (const [part, name] of [["all", ""], ["train", " training"], ["test", " test"]] as const) {
    const [before, now] = [was[part], is[part]];
    if (!before && !now) continue;
    if (!before || !now) {
      return [before ? "the rows are divided into train and test otherwise" : "train and test rows were of one file"];
    }
    if (before.count !== now.count) found.push(`${now.count}${name} rows in place of ${before.count}`);
    else if (before.values !== now.values) found.push(`other values in the${name} rows`);
    if (before.count !== now.count) continue;
    for (const kind of ["labels", "covariates"] as const) {
      if (before[kind] === now[kind]) continue;
      found.push(`${now[kind] ? before[kind] ? "other" : "new" : "no"} ${kind} of the${name} rows`);
    }
  }
  return found;
}

function partDigest(splits: readonly Split[], width: number): PartDigest {
  const count = splits.reduce((sum, split) => sum + split.count, 0);
  const every = Math.ceil(count * width / SAMPLED);
  const columns = splits[0].covariates ? splits[0].covariates.length / splits[0].count : 0;
  return {
    count,
    values: sumOf(valuesOf(splits, every), width, every),
    ...(splits.every(({ labels }) => labels) ? { labels: sumOf(splits.map(of("labels")), 1, 1) } : {}),
    ...(columns ? { covariates: sumOf(splits.map(of("covariates")), columns, every) } : {}),
  };
}

/** An array of a split, with the numbers of its rows. */
type Numbered = Pick<Split, "count" | "rowNumbers"> & { readonly values: RowArray };

const of = (name: "labels" | "covariates") => ({ count, rowNumbers, [name]: values }: Split): Numbered => ({
  ...{ count, rowNumbers },
  values: values!,
});

/** Rows that are read at a time. */
const SOME = 4096;

/** The values of splits; of those that are not in memory only the rows that are looked at. */
function* valuesOf(splits: readonly Split[], every: number): Generator<Numbered> {
  for (const split of splits) {
    const { stored, count, rowNumbers } = split;
    if (!stored) {
      yield split;
      continue;
    }
    const read = (rows: readonly number[]): Numbered => ({
      values: pick(split, rows).values,
      count: rows.length,
      rowNumbers: Uint32Array.from(rows, (row) => rowNumbers?.[row] ?? row),
    });
    let rows: number[] = [];
    for (let row = 0; row < count; row++) {
      if ((rowNumbers?.[row] ?? row) % every === 0) rows.push(row);
      if (rows.length < SOME) continue;
      yield read(rows);
      rows = [];
    }
    if (rows.length) yield read(rows);
  }
}

/** Σ over every so many rows of hash(number, values), twice 32 bits: the order in which the rows come does not count. */
function sumOf(parts: Iterable<Numbered>, width: number, every: number): string {
  let [a, b] = [0, 0];
  for (const { values, rowNumbers, count } of parts) {
    const words = values instanceof Float32Array
      ? new Uint32Array(values.buffer, values.byteOffset, values.length)
      : values;
    for (let row = 0; row < count; row++) {
      const number = rowNumbers ? rowNumbers[row] : row;
      if (number % every) continue;
      let [x, y] = [number ^ 0x9e3779b9, number + 0x85ebca6b | 0];
      for (let i = row * width; i < (row + 1) * width; i++) {
        x = Math.imul(x ^ words[i], 0x01000193);
        x ^= x >>> 15;
        y = Math.imul((y << 5 | y >>> 27) + words[i], 0x2c1b3c6d);
      }
      a = a + mixed(x) >>> 0;
      b = b + mixed(y) >>> 0;
    }
  }
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  return hex(a) + hex(b);
}

/** Every bit of the input in every bit of the output. Source: the finalizer of MurmurHash3. */
function mixed(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
