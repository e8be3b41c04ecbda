/**
 * What tasks write: where, in which format, and what is said of each row.
 *
 * @module
 */

import { className, type Dataset, type DataShape } from "../../core/dataset.ts";
import { isTable } from "../../core/description.ts";
import { plural } from "../../core/plural.ts";
import { type Field, TABLES } from "../../storage/table_file.ts";
import { UsageError } from "./flags.ts";
import type { ChosenRows } from "./run_data.ts";
import { join } from "./run_folder.ts";

/** Formats of a table. */
export type TableFormat = typeof TABLES[number];

/**
 * The format that `--out` asks for by its extension.
 *
 * @param allowed The extensions known to the task; the first one where nothing is asked for.
 * @throws {UsageError} If it is none of them.
 */
export function formatOf<E extends string>(out: string, allowed: readonly E[]): E {
  if (!out) return allowed[0];
  const extension = /\.([^./\\]+)$/.exec(out)?.[1].toLowerCase();
  const known = allowed.find((one) => one === extension);
  if (known) return known;
  const dotted = allowed.map((one) => `.${one}`);
  const list = dotted.length > 1 ? `${dotted.slice(0, -1).join(", ")} or ${dotted.at(-1)}` : dotted[0];
  throw new UsageError(`--out: expected a file that ends with ${list}, found "${out}"`);
}

/** Pictures: with words around them, or alone. */
export type PictureFormat = "svg" | "png";

/**
 * The format of samples, reconstructions and imputed rows: a picture of images, a table of tables, or what `--out` asks for.
 *
 * @param picture The picture where nothing is asked for.
 * @throws {UsageError} If a picture of a table is asked for.
 */
export function formatFor(
  out: string,
  shape: Dataset["shape"],
  picture: PictureFormat = "png",
): PictureFormat | TableFormat {
  const table = isTable(shape);
  const pictures = picture === "png" ? ["png", "svg"] as const : ["svg", "png"] as const;
  const format = formatOf(out, table ? [...TABLES, ...pictures] : [...pictures, ...TABLES]);
  if (!table || (format !== "png" && format !== "svg")) return format;
  throw new UsageError(
    `--out: the run is of a table: expected a file that ends with .csv, .parquet, .npy or .npz, found "${out}"`,
  );
}

/** Whether a format is that of a picture. */
export function isPicture(format: PictureFormat | TableFormat): format is PictureFormat {
  return format === "png" || format === "svg";
}

/** The path with another extension. */
export function withExtension(path: string, extension: string): string {
  return `${path.replace(/\.[^./\\]+$/, "")}.${extension}`;
}

/**
 * Where a task writes in a run folder: under its own name what is of the run's data and of the rows that it takes by itself, else under a
 * name that says of which data or rows, and of other data never over what is there.
 */
export async function defaultFile(
  folder: string,
  name: string,
  extension: string,
  { own, split, dataset }: Pick<ChosenRows, "own" | "split" | "dataset">,
): Promise<string> {
  if (own) return join(folder, `${name}${split === "test" ? "" : `-${split}`}.${extension}`);
  const data = dataset.name.replace(/.*\//, "").replace(/\.[^.]+$/, "").replaceAll(/[^\w.-]/g, "_");
  const stem = `${name}-${data}${split === "all" ? "" : `-${split}`}`;
  for (let n = 1;; n++) {
    const path = join(folder, `${stem}${n === 1 ? "" : `-${n}`}.${extension}`);
    if (!await Deno.lstat(path).catch(() => undefined)) return path;
  }
}

/**
 * Rows in words: `29 test rows`, `all 178 rows`, `18 rows of /data/new.csv`.
 *
 * @param noun What they are: of a picture, images.
 */
export function described(
  { rows: { count }, split, own, dataset }: Pick<ChosenRows, "rows" | "split" | "own" | "dataset">,
  noun = "row",
): string {
  const [part, from] = [split === "all" ? "" : `${split} `, own ? "" : ` of ${dataset.name}`];
  return `${own && !part ? "all " : ""}${plural(count, `${part}${noun}`)}${from}`;
}

/**
 * What is known of each row: its number in what was read, what it is called there, its split where there are several, its label.
 *
 * @param order The rows, by their places; default: all.
 */
export function rowFields({ rows, splits, dataset }: ChosenRows, order?: readonly number[]): Field[] {
  const places = order ?? Array.from({ length: rows.count }, (_, i) => i);
  const numbers = Uint32Array.from(places, (i) => rows.rowNumbers?.[i] ?? i);
  const { labels } = rows;
  return [
    { name: "row", values: numbers },
    ...(dataset.rowNames
      ? [{ name: "id", values: Array.from(numbers, (number) => dataset.rowNames![number] ?? "") }]
      : []),
    ...(splits ? [{ name: "split", values: places.map((i) => splits[i]) }] : []),
    ...(labels ? [labelField(places.map((i) => labels[i]), dataset)] : []),
  ];
}

/** Labels by their names, where there are any. */
export function labelField(labels: readonly number[], data: Pick<DataShape, "classNames">): Field {
  if (!data.classNames) return { name: "label", values: Uint8Array.from(labels) };
  return { name: "label", values: labels.map((label) => className(label, data)) };
}

/** What the columns of a table are called, or the pixels of an image by their places. */
export function columnNames({ shape, columns }: Pick<Dataset, "shape" | "columns">): readonly string[] {
  const [height, width, channels] = shape;
  return columns ?? Array.from({ length: height * width * channels }, (_, i) => {
    if (height === 1 && channels === 1) return `x${i}`;
    const [y, x, c] = [Math.floor(i / channels / width), Math.floor(i / channels) % width, i % channels];
    return channels === 1 ? `y${y}_x${x}` : `y${y}_x${x}_c${c}`;
  });
}

/** A standardized value on its own scale, to the 7 digits that float32 keeps of its column: 16.1 comes back as 16.1. */
function unscaled(value: number, mean: number, deviation: number): number {
  const number = value * deviation + mean;
  const largest = Math.max(Math.abs(number), Math.abs(mean), deviation);
  const decimals = 6 - Math.floor(Math.log10(largest));
  return decimals >= 0 && decimals <= 100 ? Number(number.toFixed(decimals)) : number;
}

/** The values of data as a field: the columns of a table by their names and on their own scale, the pixels of an image by their places. */
export function valueField(
  values: Float32Array<ArrayBuffer>,
  data: Pick<Dataset, "shape" | "columns" | "scaling">,
  name = "values",
): Field {
  const columns = columnNames(data);
  const { scaling } = data;
  const size = columns.length;
  const own = scaling
    ? values.map((value, i) => unscaled(value, scaling.mean[i % size], scaling.deviation[i % size]))
    : values;
  return { name, values: own, columns, matrix: true };
}
