/**
 * The list of datasets. A dataset is one file beside this one, and one line here.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { cifar10 } from "./cifar10.ts";
import { fashionMnist } from "./fashion_mnist.ts";
import { fileDataset } from "./files.ts";
import { freyFaces } from "./frey_faces.ts";
import { mnist } from "./mnist.ts";
import { sprites } from "./sprites.ts";

/** Every dataset that can be named, by name. */
export const datasets: ReadonlyMap<string, DatasetSource> = new Map(
  [mnist, fashionMnist, cifar10, freyFaces, sprites].map((source) => [source.name, source]),
);

/**
 * The dataset of a name, or else the one in the file or folder of that path (see `datasets/files.ts` for the formats).
 *
 * @param nameOrPath As in `--dataset`. A folder called like a known dataset is meant by `./mnist`.
 * @throws {RangeError} If there is none of that name and nothing at that path; the message lists the known names.
 */
export function findDataset(nameOrPath: string): DatasetSource {
  const source = datasets.get(nameOrPath);
  if (source) return source;
  try {
    return fileDataset(nameOrPath);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
    throw new RangeError(
      `Cannot find dataset "${nameOrPath}": expected one of ${[...datasets.keys()].join(", ")}, ` +
        `or a file or folder that exists, found "${nameOrPath}"`,
      { cause },
    );
  }
}
