/**
 * A folder of images as a dataset: all in the folder itself, or each class in a folder of its own; train and test apart or not.
 *
 * @module
 */

import {
  type Dataset,
  features,
  type LoadOptions,
  type Reading,
  slice,
  type Split,
  storedSplit,
  withBesides,
} from "../core/dataset.ts";
import { FileError, requireMemory } from "../core/bounds.ts";
import { configure, type Settings } from "../core/settings.ts";
import { lookAt } from "../core/values.ts";
import { type Background, BACKGROUNDS, describeImage } from "../datasets/image.ts";
import { type Part, partNamed } from "../datasets/layout.ts";
import { type Fit, FITS } from "../datasets/resize.ts";
import { divide, mixed, testCount } from "../datasets/rows.ts";
import { imagesInFile, keepImages, keptImages, roomForImages } from "./decoded_images.ts";
import { inPieces, type ReadConfig, readSettings, remarkOn } from "./file_rows.ts";
import { decodingRemarks, readImage } from "./image_reader.ts";
import { readImages } from "./image_workers.ts";
import { statIfThere, systemFailure } from "./read.ts";

/** The files of a part of the data. */
interface Listing {
  readonly files: readonly { readonly path: string; readonly label: number }[];
  /** Names of the class folders, where there are any. */
  readonly classes?: readonly string[];
  /** Files of other kinds. */
  readonly passedOver: NonNullable<Reading["passedOver"]>;
}

const { compare } = new Intl.Collator("en", { numeric: true });
const byName = (a: string, b: string) => compare(a, b) || (a < b ? -1 : 1);

/** What a folder of images can be told. */
export interface ImageConfig extends ReadConfig {
  readonly imageSize: string;
  readonly fit: Fit;
  readonly colour: "auto" | "grey" | "rgb";
  readonly background: Background;
}

/** The settings of a folder of images. */
export const imageSettings: Settings<ImageConfig> = {
  imageSize: {
    type: "string",
    default: "",
    help: "bring all images to one size: 64, or height x width as 64x48 (without it, all must have one size)",
  },
  fit: {
    type: "choice",
    default: "cover",
    choices: FITS,
    help: "cover cuts what is left over, contain pads with black, stretch changes proportions",
  },
  colour: {
    type: "choice",
    default: "auto",
    choices: ["auto", "grey", "rgb"],
    help: "what images become; auto: as the first one is",
  },
  background: {
    type: "choice",
    default: "none",
    choices: BACKGROUNDS,
    help: "what transparent pixels are laid on; none: they are an error",
  },
  ...readSettings,
};

/** `64` or `64x48`, height first. */
function sizeOf(text: string): readonly [height: number, width: number] | undefined {
  if (text === "") return undefined;
  const sizes = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text);
  const [height, width] = sizes ? [Number(sizes[1]), Number(sizes[2] ?? sizes[1])] : [0, 0];
  if (height >= 1 && width >= 1) return [height, width];
  throw new RangeError(`Cannot set "imageSize": expected a size in pixels, as 64 or 64x48, found "${text}"`);
}

/** Fewer files are decoded faster than they are looked up. */
const KEPT_FROM = 200;

/**
 * Reads the images of a folder: PNG, JPEG and WebP.
 *
 * - images in the folder itself: without labels
 * - `<class>/...`: the folders are the classes, in the order of their names (`2` before `10`)
 * - `train/...` and `test/...`, each as above: the two parts; else the rows are mixed by the seed and divided
 *
 * Without `imageSize` all must have the size of the first one. Files of other kinds and names that begin with a dot are passed over, but
 * not images of other formats (`.gif`): a part of the data would be missing without a word.
 *
 * @throws {FileError} If there are no images, or one is damaged or unlike the first; the message names it.
 * @throws {RangeError} If a setting does not fit.
 */
export async function readImageFolder(
  folder: string,
  { seed = 0, undivided = false, settings, cache, onProgress, signal }: LoadOptions<ImageConfig> = {},
): Promise<Dataset> {
  const config = configure(imageSettings, settings, "a folder of images");
  const size = sizeOf(config.imageSize);
  const { train, test } = await listParts(folder);
  const files = [...train.files, ...test?.files ?? []];
  const count = train.files.length;
  if (!test && !undivided) testCount(count, folder);
  const images = await decoded(folder, files.map(({ path }) => path), config, size, { cache, onProgress, signal });
  const { shape, rows } = images;
  const labelled = train.classes !== undefined;
  const all = withBesides(rows, {
    rowNumbers: Uint32Array.from(files.keys()),
    ...(labelled ? { labels: Uint8Array.from(files, ({ label }) => label) } : {}),
  });
  const own = slice(all, 0, count);
  const passedOver = [...train.passedOver, ...test?.passedOver ?? []];
  const remarks = [
    ...rows.stored ? [remarkOn(rows.stored)] : [],
    ...await decodingRemarks(files.map(({ path }) => path)),
  ];
  return {
    name: folder,
    shape,
    ...(train.classes ? { classes: train.classes.length, classNames: train.classes } : {}),
    seed,
    // Training rows are mixed in any case: validation rows are cut off their end.
    ...(test
      ? { train: mixed(own, seed), test: slice(all, count, files.length) }
      : undivided
      ? { train: own, test: own }
      : divide(own, seed, folder)),
    rowNames: files.map(({ path }) => path.slice(folder.length + 1)),
    settings: { ...config },
    reading: {
      values: [`${files.length.toLocaleString("en-US")} images`],
      ...(labelled ? { labels: "the folders" } : {}),
      ...(passedOver.length ? { passedOver } : {}),
      ...(remarks.length ? { remarks } : {}),
    },
  };
}

/** The rows of all files: kept from the last time, or decoded. */
async function decoded(
  folder: string,
  paths: readonly string[],
  { colour, fit, background, imageSize, read }: ImageConfig,
  size: readonly [height: number, width: number] | undefined,
  { cache, onProgress, signal }: LoadOptions,
): Promise<{ readonly shape: Dataset["shape"]; readonly rows: Split }> {
  const first = await readImage(paths[0], background, signal);
  const channels = colour === "auto" ? first.channels : colour === "grey" ? 1 : 3;
  const [height, width] = size ?? [first.height, first.width];
  const shape = [height, width, channels] as const;
  const count = paths.length;
  const bytes = count * features(shape);
  const plan = { shape, fit: size && fit, toGrey: colour === "grey", background };
  const describe = async () => ({
    source: JSON.stringify([folder, colour, fit, background, imageSize]),
    files: await describeFiles(paths),
  });
  if (inPieces(read, bytes)) {
    if (cache?.path) {
      const files = { ...cache, path: cache.path };
      const reader = await imagesInFile(
        files,
        await describe(),
        shape,
        count,
        (put) => readImages(paths, plan, put, { signal, onProgress }),
      );
      await lookAt(reader, { signal, onProgress });
      return { shape, rows: storedSplit(reader) };
    }
    if (read === "pieces") {
      throw new RangeError(
        `Cannot read "${folder}" in pieces: expected a cache that keeps decoded images in files (folderCache), found none`,
      );
    }
  }
  const key = cache && count >= KEPT_FROM ? await describe() : undefined;
  const kept = key && await keptImages(cache!, key, shape, count);
  if (kept) return { shape, rows: { values: kept.values, count } };
  requireMemory(bytes, folder, `${count} images of ${describeImage(...shape)}`);
  const images = roomForImages(shape, count);
  const { values } = images;
  const put = (row: number, rows: Uint8Array) => values.set(rows, row * features(shape));
  await readImages(paths, plan, put, { signal, onProgress });
  if (key) await keepImages(cache!, key, images);
  return { shape, rows: { values, count } };
}

/** Every file with its size and when it was written. */
async function describeFiles(paths: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const SOME = 256;
  for (let from = 0; from < paths.length; from += SOME) {
    const infos = await Promise.all(
      paths.slice(from, from + SOME).map(async (path) => {
        const info = await statIfThere(path);
        return JSON.stringify([path, info?.size, info?.mtime?.getTime()]);
      }),
    );
    lines.push(...infos);
  }
  return lines.join("\n");
}

async function listParts(folder: string): Promise<{ readonly train: Listing; readonly test?: Listing }> {
  const { folders } = await entriesOf(folder);
  const named = (part: Part) => folders.find((name) => partNamed(name) === part);
  const trainName = named("train");
  const testName = named("test") ?? named("validation");
  const parts = folders.filter((name) => partNamed(name) !== undefined);
  if (!trainName || !testName) {
    // Folders of these names are no classes.
    if (parts.length !== folders.length || parts.length !== 1) return { train: await list(folder) };
    return { train: await list(`${folder}/${parts[0]}`) };
  }
  const others = folders.filter((name) => name !== trainName && name !== testName);
  if (others.some((name) => partNamed(name) !== "validation")) {
    throw new FileError(
      folder,
      `expected no folder beside ${trainName}/ and ${testName}/, found ${folders.join(", ")}`,
    );
  }
  const passedOver = others.map((name) => ({ name: `${folder}/${name}`, why: "a run divides its own" }));
  const [train, test] = [await list(`${folder}/${trainName}`), await list(`${folder}/${testName}`)];
  if (train.classes?.join() !== test.classes?.join()) {
    throw new FileError(
      folder,
      `expected the same classes in train and test, found ${train.classes?.join(", ") ?? "none"} and ${
        test.classes?.join(", ") ?? "none"
      }`,
    );
  }
  return { train: { ...train, passedOver: [...train.passedOver, ...passedOver] }, test };
}

/** All the images of one part. */
async function list(folder: string): Promise<Listing> {
  const { images, folders, others } = await entriesOf(folder);
  const passedOver = others.map((name) => ({ name: `${folder}/${name}`, why: "no image" }));
  if (images.length > 0 && folders.length > 0) {
    throw new FileError(folder, `expected images or class folders, found both (${images[0]}, ${folders[0]}/)`);
  }
  if (images.length > 0) {
    return { files: images.map((name) => ({ path: `${folder}/${name}`, label: 0 })), passedOver };
  }
  if (folders.length === 0) {
    const tables = others.filter((name) => /\.(csv|tsv|parquet|np[yz]|mat|h5|hdf5)(\.gz)?$/i.test(name));
    const data = tables.find((name) => /train/i.test(name)) ?? tables[0];
    const next = data ? `; to read ${data}, name it: --dataset "${folder}/${data}"` : "";
    throw new FileError(folder, `expected PNG, JPEG or WebP images or class folders, found none${next}`);
  }
  if (folders.length > 256) {
    throw new FileError(folder, `expected at most 256 class folders, found ${folders.length}`);
  }
  const files: { path: string; label: number }[] = [];
  for (const [label, name] of folders.entries()) {
    const inside = await entriesOf(`${folder}/${name}`);
    if (inside.images.length === 0) {
      throw new FileError(`${folder}/${name}`, `expected PNG, JPEG or WebP images in the class folder, found none`);
    }
    passedOver.push(...inside.others.map((other) => ({ name: `${folder}/${name}/${other}`, why: "no image" })));
    for (const image of inside.images) files.push({ path: `${folder}/${name}/${image}`, label });
  }
  return { files, classes: folders, passedOver };
}

/** The names of images, folders and other files in a folder, sorted. */
async function entriesOf(folder: string): Promise<{ images: string[]; folders: string[]; others: string[] }> {
  const [images, folders, others]: [string[], string[], string[]] = [[], [], []];
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((cause) => {
    throw systemFailure(folder, cause);
  });
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = `${folder}/${name}`;
    const target = isSymlink ? await statIfThere(path) : undefined;
    if (isSymlink && !target) throw new FileError(path, "expected an image or a folder, found a link to nothing");
    if (isDirectory || target?.isDirectory) folders.push(name);
    else if (/\.(png|jpe?g|jfif|webp)$/i.test(name)) images.push(name);
    else if (/\.(gif|bmp|tiff?|avif|hei[cf]|jxl|jp2|ppm|pgm|svg)$/i.test(name)) {
      throw new FileError(path, "expected PNG, JPEG and WebP images only; convert it to one of these or take it away");
    } else others.push(name);
  }
  return { images: images.sort(byName), folders: folders.sort(byName), others: others.sort(byName) };
}
