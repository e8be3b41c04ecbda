/**
 * What `impute` is to fill in: parts of an image, columns of a table, what a mask in a file says, or the missing cells of the data.
 *
 * @module
 */

import type { Dataset, Split } from "../../core/dataset.ts";
import { features } from "../../core/dataset.ts";
import { uniforms } from "../../core/graph/random.ts";
import { copyPixels, requireOpaque } from "../../datasets/image.ts";
import { parseNpy } from "../../datasets/npy.ts";
import { pngDecoder } from "../../datasets/png.ts";
import { imageMask, MASKS } from "../../evaluation/impute.ts";
import { readWhole } from "../../storage/read.ts";
import { UsageError } from "./flags.ts";
import { isTable } from "../../core/description.ts";
import { columnNames } from "./outputs.ts";

/** What `--mask` may say, for its help. */
export const MASK_HELP =
  `what is missing: of images ${
    MASKS.join(", ")
  }; of tables the columns of these names, as age,height; random:0.5, so much ` +
  "of each; a .png, missing where it is black; a .npy of [D] or [N, D], missing where it is 0; or missing: the cells that the " +
  "file itself lacks (the default where it lacks any; else bottom of images, random:0.2 of tables)";

/** The mask that is meant where none is named. */
function defaultMask({ missing }: Split, shape: Dataset["shape"]): string {
  return missing?.includes(1) ? "missing" : isTable(shape) ? "random:0.2" : "bottom";
}

/** What is observed of some rows. */
export interface Holes {
  /** The mask by its name. */
  readonly name: string;
  /** 1 where a value is there, [N, D]. */
  readonly observed: Uint8Array<ArrayBuffer>;
  /** 1 where a value is hidden though it is known, [N, D]: what an error can be told of. */
  readonly hidden: Uint8Array<ArrayBuffer>;
}

/**
 * What is observed of rows under a mask. What the file itself lacks is missing under any.
 *
 * @param name What `--mask` says; "" for the default.
 * @throws {UsageError} If there is no such mask, or it hides nothing or everything.
 */
export async function holesOf(
  name: string,
  rows: Split,
  data: Pick<Dataset, "shape" | "columns">,
  seed: number,
): Promise<Holes> {
  const width = features(data.shape);
  const { count, missing } = rows;
  name ||= defaultMask(rows, data.shape);
  const mask = name === "missing" ? new Uint8Array(width).fill(1) : await maskOf(name, count, data, seed);
  if (name === "missing" && !missing?.includes(1)) {
    throw new UsageError("--mask missing: expected data with missing cells, found none; name what is to be hidden");
  }
  const hidden = new Uint8Array(count * width);
  const observed = new Uint8Array(count * width);
  for (let i = 0; i < hidden.length; i++) {
    const known = !missing?.[i];
    const shown = mask[i % mask.length] !== 0;
    hidden[i] = known && !shown ? 1 : 0;
    observed[i] = known && shown ? 1 : 0;
  }
  const gone = observed.reduce((sum, value) => sum + (value ? 0 : 1), 0);
  if (gone > 0 && gone < observed.length) return { name, observed, hidden };
  const what = isTable(data.shape) ? "values" : "pixels";
  const [of, all] = mask.length === width ? [mask.filter((value) => !value).length, width] : [gone, observed.length];
  throw new UsageError(`--mask: expected some ${what} missing and some observed, found ${of} of ${all}`);
}

/** 1 where a value is shown, [D] or [N, D]. */
async function maskOf(
  name: string,
  count: number,
  data: Pick<Dataset, "shape" | "columns">,
  seed: number,
): Promise<Uint8Array> {
  const { shape } = data;
  const width = features(shape);
  const extension = /\.(png|npy)$/i.exec(name)?.[1].toLowerCase();
  if (extension) {
    const bytes = await readWhole(name).catch((cause) => {
      throw new UsageError(`--mask: cannot read the file "${name}": ${cause.message}`, { cause });
    });
    return extension === "png" ? await ofImage(bytes, name, shape) : ofArray(bytes, name, width, count);
  }
  if (!isTable(shape)) {
    try {
      return imageMask(name, shape, seed);
    } catch (error) {
      throw error instanceof RangeError ? new UsageError(`--mask: ${error.message}`, { cause: error }) : error;
    }
  }
  const random = /^random:(0?\.\d+|0|1)$/.exec(name);
  // Of a table another part of each row.
  if (random) {
    return Uint8Array.from(uniforms(new Float64Array(count * width), seed, 0, 0), (u) => u < Number(random[1]) ? 0 : 1);
  }
  const names = columnNames(data);
  const wanted = name.split(",");
  const unknown = wanted.find((column) => !names.includes(column));
  if (unknown !== undefined) {
    const some = names.slice(0, 20).join(", ") + (names.length > 20 ? ", ..." : "");
    throw new UsageError(`--mask: expected columns (${some}), random:P, missing or a .npy file, found "${unknown}"`);
  }
  return Uint8Array.from(names, (column) => wanted.includes(column) ? 0 : 1);
}

async function ofImage(bytes: Uint8Array<ArrayBuffer>, name: string, shape: Dataset["shape"]): Promise<Uint8Array> {
  const image = (await pngDecoder())(bytes, name);
  requireOpaque(image, name);
  const [height, width, channels] = shape;
  if (image.height !== height || image.width !== width) {
    throw new UsageError(
      `--mask: expected an image of ${height} x ${width} pixels, found ${image.height} x ${image.width}`,
    );
  }
  const values = new Uint8Array(height * width * image.channels);
  copyPixels(image, values, 0);
  return Uint8Array.from(
    { length: height * width * channels },
    (_, i) => values[Math.floor(i / channels) * image.channels] < 128 ? 0 : 1,
  );
}

function ofArray(bytes: Uint8Array<ArrayBuffer>, name: string, width: number, count: number): Uint8Array {
  const { values, shape } = parseNpy(bytes, name);
  if (values.length === width) return Uint8Array.from(values, (value) => value ? 1 : 0);
  if (values.length % width || values.length / width < count) {
    throw new UsageError(
      `--mask: expected an array of [${width}] or [${count}, ${width}], found [${shape.join(", ")}]`,
    );
  }
  return Uint8Array.from(values.subarray(0, count * width), (value) => value ? 1 : 0);
}
