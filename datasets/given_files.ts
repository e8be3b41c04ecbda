/**
 * Datasets from files that are given, not looked for: dropped on a page, fetched from an address, or in memory. What files on disk are to a
 * program is in `@elbo/elbo/files`.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { classesOf, type Dataset, type ReadSource, slice, type Split } from "../core/dataset.ts";
import { filled } from "../core/scaling.ts";
import { defaults } from "../core/settings.ts";
import { type ByteSource, nameOf, readBytes } from "../core/source.ts";
import { namedParts, type Parts } from "./arrays.ts";
import { readCsv } from "./csv.ts";
import { parsePackedIdx } from "./idx.ts";
import { withoutIndex } from "./layout.ts";
import { parseNpy, parseNpzStream } from "./npy.ts";
import { gunzipStream } from "./packed.ts";
import { divide, type NumericArray, type Rows, rowsOf } from "./rows.ts";
import { type TableConfig, tableSettings } from "./table.ts";

/** A file by its name, which says what format it has; a `File` and a fetched `Response` have one themselves. */
export type DataFile = File | Response | { readonly name: string; readonly bytes: Uint8Array | ArrayBuffer };

/** How {@linkcode readDataset} reads. */
export interface ReadDatasetOptions {
  /** What the dataset is called. Default: as its first file. */
  readonly name?: string;
  /** Divides the rows into train and test where the files do not. Default: 0. */
  readonly seed?: number;
  /** The column of a table with the classes, by its name or number from 1. Default: one that is called label, class, target, ... */
  readonly labelColumn?: string;
  /** Columns of a table to leave out, by name or number from 1. */
  readonly dropColumn?: readonly string[];
  /** What becomes of missing cells of a table: an error, the column's mean, or their rows are left out. Default: "error". */
  readonly missing?: "error" | "mean" | "drop";
}

/** A file, unpacked. */
interface Read {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a dataset: `.csv`, `.tsv` or `.txt`, `.npy`, `.npz`, or idx, each also packed by gzip. Files that belong together are given together,
 * called as MNIST's are: `train-images...`, `train-labels...`, `t10k-images...` or `test-images...`.
 *
 * @throws {FileError} If a file is damaged or of no such format, or the files do not belong together.
 *
 * @example A table in memory; a page gives `input.files`, or `await fetch("table.csv")`
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new TextEncoder().encode("a,b,label\n1,2,x\n3,4,y\n5,6,x\n");
 * const { shape, classes, train, test } = await readDataset([{ name: "table.csv", bytes }]);
 * assertEquals([shape, classes, train.count, test.count], [[1, 2, 1], 2, 2, 1]);
 * ```
 */
export async function readDataset(
  files: Iterable<DataFile>,
  { name, seed = 0, ...table }: ReadDatasetOptions = {},
): Promise<Dataset> {
  const read = new Map<string, Read>();
  for (const file of files) {
    const each = await readFile(file);
    if (read.has(each.name)) throw new FileError(each.name, "expected files of different names, found two of this one");
    read.set(each.name, each);
  }
  const [first] = read.keys();
  if (first === undefined) throw new RangeError("Cannot read a dataset: expected at least one file, found none");
  const parted = await partsOf(read, { ...defaults(tableSettings), ...table });
  const [train, test] = withoutIndex(parted.train, parted.test ? [parted.test] : []) as readonly [Rows, Rows?];
  if (test && (test.shape.join() !== train.shape.join() || test.names?.length !== train.names?.length)) {
    const said = ({ shape, names }: Rows) => `[${shape}] and ${names?.length ?? 0} covariates`;
    throw new FileError(first, `expected test rows of ${said(train)}, as the training rows, found ${said(test)}`);
  }
  const whole = (rows: Rows): Split => slice(rows, 0, rows.count);
  const parts = filled(test ? { train: whole(train), test: whole(test) } : divide(train, seed, first));
  const classes = train.classNames?.length ?? classesOf(parts.train, parts.test);
  return {
    ...{ name: name ?? first, shape: train.shape, seed, ...parts },
    ...(classes === undefined ? {} : { classes }),
    ...(train.classNames ? { classNames: train.classNames } : {}),
    ...(train.columns ? { columns: train.columns } : {}),
    ...(train.rowNames && !test ? { rowNames: train.rowNames } : {}),
    ...(train.reading ? { reading: train.reading } : {}),
    ...(train.names ? { covariates: train.names } : {}),
  };
}

/**
 * Gives a known dataset its files from a folder of a web server: `mnist.load({ read: fetchFiles("data/mnist") })`. Each is looked for by its
 * name, then with `.gz` behind it.
 */
export function fetchFiles(folder: string | URL): ReadSource {
  return async (name) => {
    const address = `${String(folder).replace(/\/*$/, "")}/${name}`;
    const plain = await fetch(address);
    if (plain.ok) return { path: address, bytes: await readBytes(plain, address) };
    await plain.body?.cancel();
    const packed = await fetch(`${address}.gz`);
    if (!packed.ok) {
      await packed.body?.cancel();
      throw new FileError(address, `expected a file, found the answer ${plain.status}, and ${packed.status} with .gz`);
    }
    return { path: `${address}.gz`, bytes: await unpacked(await readBytes(packed, address), `${address}.gz`) };
  };
}

/** A server may say that it packs what it sends, and then a browser has unpacked it. */
async function unpacked(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Uint8Array<ArrayBuffer>> {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? await gunzipStream(bytes, file) : bytes;
}

async function readFile(file: DataFile): Promise<Read> {
  // Rows are mixed in place: what is the caller's is copied.
  const source: ByteSource = "bytes" in file && "name" in file && !(file instanceof Blob)
    ? new Uint8Array(file.bytes).slice()
    : file as File | Response;
  const name = ("name" in file ? file.name : nameOf(file)) || "data";
  return { name: name.replace(/\.gz$/i, ""), bytes: await unpacked(await readBytes(source, name), name) };
}

/** The rows of the files: one that holds all, or some by the names that MNIST's have. */
async function partsOf(files: ReadonlyMap<string, Read>, table: TableConfig): Promise<Parts> {
  const used = new Set<string>();
  const rows = (name: string): Rows => {
    const labels = name.replace("images", "labels").replace("idx3", "idx1");
    const beside = labels === name ? undefined : files.get(labels);
    for (const each of [name, ...beside ? [labels] : []]) used.add(each);
    return rowsOf(arrayOf(files.get(name)!), name, beside ? { labels: arrayOf(beside) } : {});
  };
  const [first] = files.keys();
  const main = [...files.keys()].find((name) => /train.*images|images.*train/.test(name)) ??
    [...files.keys()].find((name) => name.includes("images")) ?? first;
  let parts: Parts;
  switch (/\.([^./]+)$/.exec(main)?.[1].toLowerCase()) {
    case "csv":
    case "tsv":
    case "txt":
      parts = { train: await readCsv(whole(files.get(main)!), table) };
      used.add(main);
      break;
    case "npz":
      parts = namedParts(await parseNpzStream(files.get(main)!.bytes, main), main);
      used.add(main);
      break;
    default: {
      const test = ["t10k", "test"].map((part) => main.replace("train", part))
        .find((name) => name !== main && files.has(name));
      parts = { train: rows(main), ...(test ? { test: rows(test) } : {}) };
    }
  }
  const other = [...files.keys()].find((name) => !used.has(name));
  if (other !== undefined) {
    throw new FileError(other, `expected files of one dataset, found this one beside "${main}"`);
  }
  return parts;
}

function arrayOf({ name, bytes }: Read): NumericArray {
  return /\.npy$/i.test(name) ? parseNpy(bytes, name) : parsePackedIdx(bytes, name);
}

/** A file in memory as {@linkcode readCsv} reads it, twice. */
function whole({ name, bytes }: Read): Parameters<typeof readCsv>[0] {
  return {
    path: name,
    size: bytes.length,
    async *pieces() {
      yield await Promise.resolve(bytes);
    },
  };
}
