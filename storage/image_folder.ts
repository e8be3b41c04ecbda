/**
 * A folder of PNG files as a dataset: all in the folder itself, or each class in a folder of its own; train and test
 * apart or not. One image is decoded at a time, into its place.
 *
 * @module
 */

import { type Dataset, features, type LoadOptions, type Split } from "../core/dataset.ts";
import { FileError, requireMemory } from "../core/bounds.ts";
import { copyPixels, describeImage, type Image, pngDecoder } from "../datasets/png.ts";
import { mixed, testCount } from "../datasets/rows.ts";
import { readWhole, statIfThere, systemFailure } from "./read.ts";

/** The files of a part of the data. */
interface Listing {
  readonly files: readonly { readonly path: string; readonly label: number }[];
  /** Names of the class folders, where there are any. */
  readonly classes?: readonly string[];
}

const { compare } = new Intl.Collator("en", { numeric: true });
const byName = (a: string, b: string) => compare(a, b) || (a < b ? -1 : 1);

/**
 * Reads the PNG files of a folder.
 *
 * - `*.png`: images without labels
 * - `<class>/*.png`: the folders are the classes, in the order of their names (`2` before `10`)
 * - `train/...` and `test/...`, each as above: the two parts; else the rows are mixed by the seed and divided
 *
 * The first image says how large all are, and whether grey or in colour. Files of other kinds and names that begin with a
 * dot are passed over, but not other images (`.jpg`): a part of the data would be missing without a word.
 *
 * @throws {FileError} If there are no images, or one is damaged or unlike the first; the message names it.
 */
export async function readImageFolder(folder: string, { seed = 0, signal }: LoadOptions = {}): Promise<Dataset> {
  const { train, test } = await listParts(folder);
  const decode = await pngDecoder();
  const [{ path }] = train.files;
  const { height, width, channels } = decode(await readWhole(path, signal), path);
  const shape = [height, width, channels] as const;
  const count = train.files.length;
  const tests = test ? 0 : testCount(count, folder);
  const images = count + (test?.files.length ?? 0);
  requireMemory(images * features(shape), folder, `${images} images like the first`);
  const read = async ({ files, classes }: Listing, order: Iterable<number>, rows: number): Promise<Split> => {
    const values = new Uint8Array(rows * features(shape));
    const labels = new Uint8Array(classes ? rows : 0);
    let row = 0;
    for (const index of order) {
      const { path, label } = files[index];
      const image = decode(await readWhole(path, signal), path);
      requireLike(image, shape, path);
      copyPixels(image, values, row * features(shape));
      if (classes) labels[row] = label;
      row++;
    }
    return { values, count: rows, ...(classes ? { labels } : {}) };
  };
  // Training rows are mixed in any case: validation rows are cut off their end.
  const order = Uint32Array.from({ length: count }, (_, place) => mixed(place, count, seed));
  return {
    name: folder,
    shape,
    ...(train.classes ? { classes: train.classes.length } : {}),
    seed,
    train: await read(train, order.subarray(0, count - tests), count - tests),
    test: test
      ? await read(test, test.files.keys(), test.files.length)
      : await read(train, order.subarray(count - tests), tests),
  };
}

function requireLike(image: Image, [height, width, channels]: Dataset["shape"], path: string): void {
  if (image.height === height && image.width === width && image.channels === channels) return;
  throw new FileError(
    path,
    `expected ${describeImage(height, width, channels)} like the first image, ` +
      `found ${describeImage(image.height, image.width, image.channels)}`,
  );
}

async function listParts(folder: string): Promise<{ readonly train: Listing; readonly test?: Listing }> {
  const { folders } = await entriesOf(folder);
  const isParted = folders.includes("train") && folders.includes("test");
  if (!isParted) return { train: await list(folder) };
  if (folders.length > 2) {
    throw new FileError(folder, `expected no folder beside train/ and test/, found ${folders.join(", ")}`);
  }
  const [train, test] = [await list(`${folder}/train`), await list(`${folder}/test`)];
  if (train.classes?.join() !== test.classes?.join()) {
    throw new FileError(
      folder,
      `expected the same classes in train and test, found ${train.classes?.join(", ") ?? "none"} and ${
        test.classes?.join(", ") ?? "none"
      }`,
    );
  }
  return { train, test };
}

/** All the images of one part. */
async function list(folder: string): Promise<Listing> {
  const { images, folders } = await entriesOf(folder);
  if (images.length > 0 && folders.length > 0) {
    throw new FileError(folder, `expected PNG files or class folders, found both (${images[0]}, ${folders[0]}/)`);
  }
  if (images.length > 0) return { files: images.map((name) => ({ path: `${folder}/${name}`, label: 0 })) };
  if (folders.length === 0) throw new FileError(folder, `expected PNG files or class folders, found none`);
  if (folders.length > 256) {
    throw new FileError(folder, `expected at most 256 class folders, found ${folders.length}`);
  }
  const files: { path: string; label: number }[] = [];
  for (const [label, name] of folders.entries()) {
    const inside = await entriesOf(`${folder}/${name}`);
    if (inside.images.length === 0) {
      throw new FileError(`${folder}/${name}`, `expected PNG files in the class folder, found none`);
    }
    for (const image of inside.images) files.push({ path: `${folder}/${name}/${image}`, label });
  }
  return { files, classes: folders };
}

/** The names of PNG files and folders in a folder, sorted. */
async function entriesOf(folder: string): Promise<{ images: string[]; folders: string[] }> {
  const [images, folders]: [string[], string[]] = [[], []];
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((cause) => {
    throw systemFailure(folder, cause);
  });
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".")) continue;
    const path = `${folder}/${name}`;
    const target = isSymlink ? await statIfThere(path) : undefined;
    if (isSymlink && !target) throw new FileError(path, "expected an image or a folder, found a link to nothing");
    if (isDirectory || target?.isDirectory) folders.push(name);
    else if (/\.png$/i.test(name)) images.push(name);
    else if (/\.(jpe?g|gif|webp|bmp|tiff?|avif)$/i.test(name)) {
      throw new FileError(path, "expected PNG images only; convert it to PNG or take it away");
    }
  }
  return { images: images.sort(byName), folders: folders.sort(byName) };
}
