/**
 * A dataset of one's own: which format a path is of, and what lies beside it. The formats are in `datasets/`.
 *
 * @module
 */

import {
  classesOf,
  type Dataset,
  type DatasetSource,
  features,
  type LoadOptions,
  slice,
  type Split,
  withBesides,
} from "../core/dataset.ts";
import { FileError } from "../core/bounds.ts";
import { configure, defaults, type Settings } from "../core/settings.ts";
import { lookAt } from "../core/values.ts";
import { arrangedRows, matrixParts, namedParts, type Parts } from "../datasets/arrays.ts";
import { classesIn } from "../datasets/classes.ts";
import { readCsv } from "../datasets/csv.ts";
import { freyFaces } from "../datasets/frey_faces.ts";
import { isHdf5, withHdf5 } from "../datasets/hdf5.ts";
import { IDX_START, idxLayout, parsePackedIdx } from "../datasets/idx.ts";
import { rowAxis, withoutIndex, withoutOneHot } from "../datasets/layout.ts";
import { parseMat } from "../datasets/mat.ts";
import { NPY_START, npyLayout, parseNpz, storedNpy } from "../datasets/npy.ts";
import { gunzip } from "../datasets/packed.ts";
import { readParquet } from "../datasets/parquet.ts";
import { shaped } from "../datasets/pixels.ts";
import { divide, type NumericArray, type Rows, rowsOf, type StoredArray, storedRowsOf } from "../datasets/rows.ts";
import { filled, standardized, suggestion } from "../core/scaling.ts";
import { type TableConfig, tableSettings } from "../datasets/table.ts";
import type { PiecewiseFile } from "../datasets/text_lines.ts";
import { fileRows, inPieces, joinedRows, type ReadConfig, readSettings, remarkOn } from "./file_rows.ts";
import { imageSettings, readImageFolder } from "./image_folder.ts";
import { fileSize, isFile, isFileSync, piecewise, readStart, readWhole, statIfThere, systemFailure } from "./read.ts";
import { withFiles } from "./source_files.ts";

/**
 * The dataset in a file or folder.
 *
 * | path | rows | labels | covariates |
 * |---|---|---|---|
 * | a folder | PNG, JPEG and WebP images, grey or colour | folders by class | |
 * | `.npy` | [N, D], [N, H, W] or [N, H, W, C] | `..labels..` beside `..images..` | |
 * | a folder of `.npy` files | their rows, one file after the other by name | | |
 * | `.npz` | `x`, `data` or `images`, or the only array; `x_train` and `x_test` | `y` or `labels`; `y_train` and `y_test` | `c`, likewise: [N, C]; or `c_...`: [N]; those of dSprites, 3D Shapes, SmallNORB |
 * | `.mat` | `x`, `data` or `images`, or the only matrix: [N, D], or [H, W, N] or [H, W, C, N] | `y` or `labels` | `c`: [N, C] |
 * | `.h5`, `.hdf5` | as `.npz` | | |
 * | `.csv`, `.tsv`, `.txt`, `.dat`, `.data`, `.parquet` | the numbers of a row | the column `label`, or of `labelColumn` | columns whose names begin with `c_` |
 * | idx | unsigned bytes, as MNIST's | `..labels-idx1..` beside `..images-idx3..` | |
 *
 * Each may be packed as `.gz`. Bytes stand for value / 255; all other numbers are taken as they are. Where `train-images...` lies beside
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
    settings: settingsOf(name),
    load: async (options = {}) => {
      options.signal?.throwIfAborted();
      return await load(name, { ...options, seed: options.seed ?? 0 });
    },
  };
}

/** What rows can be told. */
interface RowConfig {
  readonly shape: string;
  readonly standardize: boolean;
}

const rowSettings: Settings<RowConfig> = {
  shape: { type: "string", default: "", help: "what flat rows are images of: 28x28, or 32x32x3" },
  standardize: {
    type: "boolean",
    default: false,
    help: "bring the columns of a table to mean 0 and deviation 1; samples and reconstructions are turned back",
  },
};

/** What a file can be told. */
type FileConfig = RowConfig & TableConfig & ReadConfig;

const fileSettings: Settings<FileConfig> = { ...tableSettings, ...rowSettings, ...readSettings };

/** What files can be told, by which they are. */
export const FILE_SETTINGS: Readonly<Record<string, Settings<object>>> = {
  "--dataset FOLDER, images": imageSettings,
  "--dataset FILE, a table": tableSettings,
  "--dataset FILE": rowSettings,
  "--dataset FILE, .npy or idx": readSettings,
};

/** What the files at a path can be told. */
function settingsOf(path: string): Settings<object> | undefined {
  if (Deno.statSync(path).isDirectory && !idxFile(path)) {
    return npyFiles(path).length ? { ...rowSettings, ...readSettings } : imageSettings;
  }
  if (path.endsWith(FREY_FACES)) return undefined;
  const kind = kindOf(path);
  if (TABLES.includes(kind)) return { ...tableSettings, ...rowSettings };
  return WHOLE.includes(kind) || isPacked(path) ? rowSettings : { ...rowSettings, ...readSettings };
}

/** The file of a dataset that is known. */
const FREY_FACES = "/frey_rawface.mat";

/** Formats whose columns may have names. */
const TEXTS = ["csv", "tsv", "txt", "dat", "data"];
const TABLES = [...TEXTS, "parquet", "pq"];
/** Formats whose rows cannot be read one by one. */
const WHOLE = ["npz", "mat", "h5", "hdf5"];

/** What the end of a path says of a file, packed or not. */
function kindOf(path: string): string {
  return /\.([^./]+?)(\.gz)?$/i.exec(path)?.[1].toLowerCase() ?? "";
}

/** The file with the training images of a folder that holds files of MNIST's names. */
function idxFile(folder: string): string | undefined {
  return ["", ".gz"].map((end) => `${folder}/train-images-idx3-ubyte${end}`).find(isFileSync);
}

/** The files of a folder that holds .npy files and nothing else, by name; else none. */
function npyFiles(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].filter(({ name }) => !name.startsWith("."));
  const all = entries.length > 0 && entries.every(({ name, isDirectory }) => !isDirectory && kindOf(name) === "npy");
  return all ? entries.map(({ name }) => `${folder}/${name}`).sort() : [];
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

async function load(path: string, options: LoadOptions & { readonly seed: number }): Promise<Dataset> {
  const { seed, undivided, signal } = options;
  if ((await statIfThere(path))?.isDirectory) {
    const idx = idxFile(path);
    if (idx) return { ...await load(idx, options), name: path };
    if (!npyFiles(path).length) return await readImageFolder(path, options);
  }
  if (path.endsWith(FREY_FACES)) {
    return {
      ...await withFiles(freyFaces).load({ folder: path.slice(0, path.lastIndexOf("/")), seed, undivided, signal }),
      name: path,
    };
  }
  const settings = settingsOf(path)!;
  const told: Partial<FileConfig> = configure(settings, options.settings, `"${path}"`);
  const config = { ...defaults(fileSettings), ...told };
  const read = await readParts(path, config, options);
  // Columns that were asked for by name are all meant.
  const tables = config.columns.length
    ? [read.train, read.test].filter((rows) => rows !== undefined)
    : withoutIndex(read.train, read.test ? [read.test] : []);
  const [train, test] = tables.map((rows) => shaped(rows, config.shape, path));
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
  const all = whole(train);
  const divided = test
    ? { train: all, test: whole(test) }
    : undivided
    ? { train: all, test: all }
    : divide(train, seed, path);
  const parts = scaled(filled(divided), train, path, options.settings);
  const classes = train.classNames?.length ?? classesOf(parts.train, parts.test);
  return {
    ...{ name: path, shape: train.shape, seed },
    ...(classes === undefined ? {} : { classes }),
    ...(train.classNames ? { classNames: train.classNames } : {}),
    ...(train.columns ? { columns: train.columns } : {}),
    ...(train.rowNames && !test ? { rowNames: train.rowNames } : {}),
    ...(train.names ? { covariates: train.names } : {}),
    ...parts,
    settings: Object.fromEntries(Object.keys(settings).map((name) => [name, config[name as keyof FileConfig]])),
  };
}

/** The parts standardized where that was asked for, and what there is to say of the rows. */
function scaled(
  parts: Pick<Dataset, "train" | "test">,
  { shape, columns, reading }: Rows,
  path: string,
  { standardize }: Partial<RowConfig> = {},
): Pick<Dataset, "train" | "test" | "scaling" | "reading"> {
  const read = reading ? { reading } : {};
  if (standardize) {
    if (shape[0] === 1 && shape[2] === 1) return { ...standardized(parts, features(shape)), ...read };
    throw new RangeError(
      `Cannot standardize "${path}": expected the columns of a table, found images of ${shape.join(" x ")}`,
    );
  }
  // Who said no needs no suggestion.
  const remark = standardize === undefined ? suggestion({ shape, columns, train: parts.train }) : undefined;
  if (!remark) return { ...parts, ...read };
  return { ...parts, reading: { ...reading, remarks: [...reading?.remarks ?? [], remark] } };
}

async function readParts(path: string, config: FileConfig, options: LoadOptions): Promise<Parts> {
  const { signal } = options;
  const files = (await statIfThere(path))?.isDirectory ? npyFiles(path) : [];
  if (files.length) return { train: await joinedFiles(path, files, config, options) };
  const kind = kindOf(path);
  if (TEXTS.includes(kind)) return await besideOthers(await readCsv(await textFile(path, signal), config), path);
  switch (kind) {
    case "parquet":
    case "pq":
      return await besideOthers(await readParquet(await readUnpacked(path, signal), path, config), path);
    case "npy":
      return await withNeighbours(
        path,
        async (file) => {
          const bytes = await readUnpacked(file, signal);
          return storedNpy(() => bytes, () => bytes, file);
        },
        (file, labels) => rowsInPieces(file, labels, config, options),
        arrangedRows,
      );
    case "npz":
      return namedParts(parseNpz(await readUnpacked(path, signal), path), path);
    case "mat":
    case "h5":
    case "hdf5": {
      const bytes = await readUnpacked(path, signal);
      const matlab = kind === "mat";
      if (matlab && !isHdf5(bytes)) return matrixParts(parseMat(bytes, path), path);
      return await withHdf5(bytes, path, matlab, (arrays) => (matlab ? matrixParts : namedParts)(arrays, path));
    }
    default:
      return await withNeighbours(
        path,
        async (file) => stored(parsePackedIdx(await readWhole(file, signal), file)),
        (file, labels) => rowsInPieces(file, labels, config, options),
      );
  }
}

/** Numbers of a row. */
function columnsOf({ shape: [, ...row] }: { readonly shape: readonly number[] }): number {
  return row.reduce((all, size) => all * size, 1);
}

/** The rows of .npy files of one kind, read from where they lie or, where they are few, all at once. */
async function joinedFiles(
  folder: string,
  files: readonly string[],
  { read }: ReadConfig,
  options: LoadOptions,
): Promise<Rows> {
  const layouts = await Promise.all(files.map(async (path) => {
    const layout = npyLayout(await readStart(path, NPY_START), path);
    if (isPacked(path) || layout.columnMajor) {
      throw new FileError(
        path,
        `expected an .npy file of one row after the other, found ${isPacked(path) ? "it packed" : "Fortran order"}`,
      );
    }
    return layout;
  }));
  const [{ shape: [, ...row], type }] = layouts;
  layouts.forEach((layout, i) => {
    const [, ...other] = layout.shape;
    if (other.join() === row.join() && layout.type === type) return;
    throw new FileError(
      files[i],
      `expected rows as in ${files[0].replace(/.*\//, "")}, [${row}] of ${type}, found [${other}] of ${layout.type}`,
    );
  });
  const columns = columnsOf(layouts[0]);
  const readers = layouts.map((layout, i) => fileRows({ ...layout, path: files[i], count: layout.shape[0], columns }));
  const reader = joinedRows(readers, folder);
  const { count } = reader;
  const rows = storedRowsOf(reader, [count, ...row], undefined);
  const remark = `${files.length} files`;
  if (inPieces(read, count * columns * (reader.type === "u8" ? 1 : 4))) {
    await lookAt(rows.stored!, options);
    return withBesides(rows, { reading: { remarks: [`${remark}: ${remarkOn(reader)}`] } });
  }
  // Their values are read as they are taken out.
  const { stored: _, ...whole } = rows;
  return { ...whole, reading: { remarks: [remark] } };
}

/** The rows of an .npy or idx file, left there; undefined where they are to be read whole. */
async function rowsInPieces(
  path: string,
  labels: NumericArray | undefined,
  { read }: ReadConfig,
  options: LoadOptions,
): Promise<Rows | undefined> {
  if (read === "whole" || isPacked(path)) return undefined;
  const isNpy = kindOf(path) === "npy";
  const start = await readStart(path, isNpy ? NPY_START : IDX_START);
  const layout = isNpy ? npyLayout(start, path) : idxLayout(start);
  if (!layout) return undefined;
  const known = labels && withoutOneHot(labels, layout.shape[0]);
  const { shape: [count], type, columnMajor } = layout;
  const columns = columnsOf(layout);
  const isBytes = type === "u8" || type === "bool";
  // What a file declares may be more than it has.
  const bytes = Math.min(count * columns * (isBytes ? 1 : 4), await fileSize(path));
  if (!inPieces(read, bytes)) return undefined;
  const isTurned = isNpy && rowAxis(layout.shape, path, { labels: known?.values.length }).axis !== 0;
  if (columnMajor || isTurned) {
    if (read === "auto") return undefined;
    throw new FileError(
      path,
      `expected one row after the other, to read it in pieces, found ${
        columnMajor ? "Fortran order" : `rows counted by the last axis of [${layout.shape.join(", ")}]`
      }`,
    );
  }
  const reader = fileRows({ ...layout, path, count, columns });
  const rows = storedRowsOf(reader, layout.shape, known);
  await lookAt(rows.stored!, options);
  return withBesides(rows, { reading: { remarks: [remarkOn(reader)] } });
}

/** The rows of a table, whose test rows are its own: a table beside it may have other columns, as Kaggle's has no labels. */
async function besideOthers(train: Rows, path: string): Promise<Parts> {
  const test = await neighbour(path, (name) => [name.replace("train", "test")]);
  if (!test) return { train };
  const remark = `${test.replace(/.*\//, "")} beside it is not read, test rows are held out of these`;
  return { train: { ...train, reading: { ...train.reading, remarks: [...train.reading?.remarks ?? [], remark] } } };
}

const isPacked = (path: string): boolean => /\.gz$/i.test(path);

/** The content of a file, unpacked where it is a `.gz`. */
async function readUnpacked(path: string, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readWhole(path, signal);
  return isPacked(path) ? gunzip(bytes, path) : bytes;
}

/** A text piece by piece: from the file, or from memory where it is packed. */
async function textFile(path: string, signal: AbortSignal | undefined): Promise<PiecewiseFile> {
  if (!isPacked(path)) return await piecewise(path, signal);
  const bytes = await readUnpacked(path, signal);
  return { path, size: bytes.length, pieces: () => piecesOf(bytes) };
}

const PIECE = 1 << 16;

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** The rows of a file, and the labels and test rows that lie beside it by the names that MNIST's files have. */
async function withNeighbours(
  path: string,
  read: (path: string) => Promise<StoredArray>,
  inPieces: (path: string, labels: NumericArray | undefined) => Promise<Rows | undefined>,
  arranged: typeof rowsOf = rowsOf,
): Promise<Parts> {
  const test = await neighbour(path, (name) => ["t10k", "test"].map((part) => name.replace("train", part)));
  const files = test ? [path, test] : [path];
  const beside = await Promise.all(
    files.map((file) => neighbour(file, (name) => [name.replace("images", "labels").replace("idx3", "idx1")])),
  );
  const { labels, classNames } = classesIn(
    await Promise.all(beside.map((file) => file ? read(file) : undefined)),
    path,
  );
  const [train, held] = await Promise.all(files.map(async (file, i): Promise<Rows> => {
    const rows = await inPieces(file, labels[i]) ?? arranged((await read(file)).read(), file, { labels: labels[i] });
    return withBesides(rows, {
      ...(classNames ? { classNames } : {}),
      reading: { ...rows.reading, ...named(beside[i]) },
    });
  }));
  return { train, ...(held ? { test: held } : {}) };
}

const named = (file: string | undefined) => file ? { labels: file.replace(/.*\//, "") } : {};

/** The array of a file that was read whole. */
const stored = (array: NumericArray): StoredArray => ({ shape: array.shape, read: () => array });

/** The first file that is there of those that the name of this one, changed, may be. */
async function neighbour(path: string, change: (name: string) => string[]): Promise<string | undefined> {
  const slash = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, slash), path.slice(slash)];
  const names = change(name).filter((changed) => changed !== name);
  return await firstThere(names.map((changed) => folder + changed));
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path;
  return undefined;
}
