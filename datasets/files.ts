/**
 * A dataset of one's own: which reader a path is for, and what lies beside it. The formats are in files of their own.
 *
 * @module
 */

import { type Dataset, type DatasetSource, type LoadOptions, slice, type Split } from "../core/dataset.ts";
import { FileError, readWhole, statIfThere, systemFailure } from "../core/bounds.ts";
import { readCsv } from "./csv.ts";
import { fromColumnMajor } from "./elements.ts";
import { freyFaces } from "./frey_faces.ts";
import { idxLength, parseIdx } from "./idx.ts";
import { readImageFolder } from "./image_folder.ts";
import { parseMat } from "./mat.ts";
import { parseNpy, parseNpz } from "./npy.ts";
import { inflate, inflateStart } from "./packed.ts";
import { classesOf, divide, type NumericArray, type Rows, rowsOf, type StoredArray } from "./rows.ts";

/** Arrays whose shapes are looked at where none has the name of data. */
const MOST_ARRAYS = 1000;

/** Bytes that say how long an idx file is, at most. */
const LONGEST_IDX_HEADER = 4 + 4 * 255;

/** What a file gave: all the rows together, or the two parts. */
interface Parts {
  readonly train: Rows;
  readonly test?: Rows;
}

/** Names of the array with the data, of the one with the labels, and of the one with the covariates, in .npz and .mat files. */
const DATA = ["x", "data", "images"];
const LABELS = ["y", "labels", "label"];
const COVARIATES = ["c", "covariates"];

/**
 * The dataset in a file or folder.
 *
 * | path | rows | labels | covariates |
 * |---|---|---|---|
 * | a folder | PNG files, grey or colour, 8 bits a channel | folders by class | |
 * | `.npy` | [N, D], [N, H, W] or [N, H, W, C] | `..labels..` beside `..images..` | |
 * | `.npz` | `x`, `data` or `images`, or the only array; `x_train` and `x_test` | `y` or `labels`; `y_train` and `y_test` | `c`, likewise: [N, C] |
 * | `.mat` | `x`, `data` or `images`, or the only matrix: [N, D], or [H, W, N] or [H, W, C, N] | `y` or `labels` | `c`: [N, C] |
 * | `.csv`, `.tsv`, `.txt` | the numbers of a line | the column `label` | columns whose names begin with `c_` |
 * | idx, also `.gz` | unsigned bytes, as MNIST's | `..labels-idx1..` beside `..images-idx3..` | |
 *
 * Bytes stand for value / 255; all other numbers are taken as they are. Where `train-images...` lies beside
 * `t10k-images...` or `test-images...`, or a folder holds `train` and `test`, these are the parts; else the rows are
 * mixed by `seed` and a sixth of them become the test rows.
 *
 * @param path As the user gave it; the dataset is called by its absolute path.
 */
export function fileDataset(path: string): DatasetSource {
  const name = absolute(path);
  return {
    name,
    summary: "a dataset of one's own",
    source: name,
    load: async ({ seed = 0, signal } = {}) => {
      signal?.throwIfAborted();
      return await load(name, { seed, signal });
    },
  };
}

/** Links are not followed: what a link is called says what it is. */
function absolute(path: string): string {
  try {
    Deno.statSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) throw cause;
    throw systemFailure(path, cause);
  }
  if (Deno.build.os === "windows") return Deno.realPathSync(path).replaceAll("\\", "/");
  const escape = (text: string) => text.split("/").map(encodeURIComponent).join("/");
  return decodeURIComponent(new URL(escape(path), `file://${escape(Deno.cwd())}/`).pathname).replace(/(.)\/+$/, "$1");
}

async function load(path: string, { seed, signal }: LoadOptions & { readonly seed: number }): Promise<Dataset> {
  if ((await statIfThere(path))?.isDirectory) {
    const idx = await firstThere(["", ".gz"].map((end) => `${path}/train-images-idx3-ubyte${end}`));
    return idx ? { ...await load(idx, { seed, signal }), name: path } : await readImageFolder(path, { seed, signal });
  }
  if (path.endsWith("/frey_rawface.mat")) {
    return { ...await freyFaces.load({ folder: path.slice(0, path.lastIndexOf("/")), seed, signal }), name: path };
  }
  const { train, test } = await readParts(path, signal);
  if (test && test.shape.join() !== train.shape.join()) {
    throw new FileError(
      path,
      `expected test rows of the shape [${train.shape}], as the training rows, found [${test.shape}]`,
    );
  }
  if (test && test.names?.length !== train.names?.length) {
    throw new FileError(
      path,
      `expected ${train.names?.length ?? 0} covariates of the test rows, as of the training rows, found ${
        test.names?.length ?? 0
      }`,
    );
  }
  const whole = (rows: Rows): Split => slice(rows, 0, rows.count);
  const parts = test ? { train: whole(train), test: whole(test) } : divide(train, seed, path);
  const classes = classesOf(parts.train, parts.test);
  return {
    ...{ name: path, shape: train.shape, seed, ...parts },
    ...(classes === undefined ? {} : { classes }),
    ...(train.names ? { covariates: train.names } : {}),
  };
}

async function readParts(path: string, signal: AbortSignal | undefined): Promise<Parts> {
  const kind = /\.([^./]+)$/.exec(path)?.[1].toLowerCase();
  switch (kind) {
    case "csv":
    case "tsv":
    case "txt":
      return { train: await readCsv(path, signal) };
    case "npy":
      return await withNeighbours(path, async (file) => parseNpy(await readWhole(file, signal), file));
    case "npz":
      return namedParts(parseNpz(await readWhole(path, signal), path), path);
    case "mat":
      return matrixParts(parseMat(await readWhole(path, signal), path), path);
    default:
      return await withNeighbours(path, async (file) => await readIdx(file, signal));
  }
}

/** An idx file, packed or not, of any number of dimensions. */
async function readIdx(path: string, signal: AbortSignal | undefined): Promise<NumericArray> {
  const raw = await readWhole(path, signal);
  const packed = raw[0] === 0x1f && raw[1] === 0x8b;
  const start = packed ? inflateStart(raw, "gzip", LONGEST_IDX_HEADER, path) : raw;
  const length = idxLength(start, path);
  if (length === undefined) {
    throw new FileError(
      path,
      "expected a folder of PNG files, .npy, .npz, .csv, .mat or an idx file, found none of these",
    );
  }
  const bytes = packed ? inflate(raw, "gzip", length, path) : raw;
  return parseIdx(bytes, path, Array.from({ length: bytes[3] }, () => undefined));
}

/** The rows of a file, and the labels and test rows that lie beside it by the names that MNIST's files have. */
async function withNeighbours(path: string, read: (path: string) => Promise<NumericArray>): Promise<Parts> {
  const rows = async (file: string): Promise<Rows> => {
    const labels = await neighbour(file, (name) => [name.replace("images", "labels").replace("idx3", "idx1")]);
    return rowsOf(await read(file), file, labels ? { labels: await read(labels) } : {});
  };
  const test = await neighbour(path, (name) => ["t10k", "test"].map((part) => name.replace("train", part)));
  return { train: await rows(path), ...(test ? { test: await rows(test) } : {}) };
}

/** The first file that is there of those that the name of this one, changed, may be. */
async function neighbour(path: string, change: (name: string) => string[]): Promise<string | undefined> {
  const slash = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, slash), path.slice(slash)];
  const names = change(name).filter((changed) => changed !== name);
  return await firstThere(names.map((changed) => folder + changed));
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await Deno.stat(path).then((info) => info.isFile, () => false)) return path;
  return undefined;
}

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

function namedParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
  const rows = (data: StoredArray, end: string): Rows => {
    const besides = (names: readonly string[]) => named(arrays, names.map((name) => name + end))?.read();
    return rowsOf(data.read(), path, { labels: besides(LABELS), covariates: besides(COVARIATES) });
  };
  const [train, test] = ["_train", "_test"].map((end) => named(arrays, DATA.map((name) => name + end)));
  if (train && test) return { train: rows(train, "_train"), test: rows(test, "_test") };
  return { train: rows(dataOf(arrays, path), "") };
}

/** MATLAB's order of axes: a table has a row for each datum (or, as the labels say, a column); images are counted last. */
function matrixParts(arrays: ReadonlyMap<string, StoredArray>, path: string): Parts {
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
