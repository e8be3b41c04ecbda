/**
 * The four idx files that MNIST came in, and that datasets made to take its place come in as well: 60,000 + 10,000 grey
 * images of 28 x 28 in ten classes. This file knows what they are called and hold; where they are is told it.
 *
 * @module
 */

import type { Dataset, LoadOptions, ReadSource, Split } from "../core/dataset.ts";
import { parseIdx } from "./idx.ts";
import { type KnownFile, requireReader, requireSha256 } from "./known_files.ts";

const HEIGHT = 28;
const WIDTH = 28;
const CLASSES = 10;

const SPLITS = {
  train: { count: 60_000, images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { count: 10_000, images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

type FileName = typeof SPLITS[keyof typeof SPLITS]["images" | "labels"];

/** The SHA-256 of each file, unpacked. */
export type MnistSums = Readonly<Record<FileName, string>>;

/** The names of the files. */
export const MNIST_FILES: readonly FileName[] = Object.values(SPLITS).flatMap(({ images, labels }) => [images, labels]);

/**
 * Reads and verifies the four files.
 *
 * @throws {Error} If a file is missing, broken or another than its sum says.
 */
export async function loadMnistFiles(
  name: string,
  sums: MnistSums,
  { read: given, signal }: LoadOptions = {},
): Promise<Dataset> {
  signal?.throwIfAborted();
  const read = requireReader(name, given);
  const load = async (file: FileName, shape: readonly number[]) =>
    await loadFile({ name: file, sha256: sums[file] }, shape, read, signal);
  const split = async ({ count, images, labels }: typeof SPLITS[keyof typeof SPLITS]): Promise<Split> => ({
    values: await load(images, [count, HEIGHT, WIDTH]),
    count,
    labels: await load(labels, [count]),
  });
  return {
    name,
    shape: [HEIGHT, WIDTH, 1],
    classes: CLASSES,
    train: await split(SPLITS.train),
    test: await split(SPLITS.test),
  };
}

async function loadFile(
  known: KnownFile,
  shape: readonly number[],
  read: ReadSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await read(known.name);
  // Parsed before it is hashed: "cut short" or "gzip" says more than "another checksum".
  const { values } = parseIdx(file.bytes, file.path, shape);
  await requireSha256(file, known);
  signal?.throwIfAborted();
  return values;
}
