/**
 * Datasets by name or path.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { datasets } from "../datasets/mod.ts";
import { fileDataset } from "./file_dataset.ts";
import { withFiles } from "./source_files.ts";

/**
 * The dataset of a name, or else the one in the file or folder of that path (see {@linkcode fileDataset} for the formats).
 *
 * @param nameOrPath As in `--dataset`. A folder called like a known dataset is meant by `./mnist`.
 * @throws {RangeError} If there is none of that name and nothing at that path; the message lists the known names.
 */
export function findDataset(nameOrPath: string): DatasetSource {
  const source = datasets.get(nameOrPath);
  if (source) return withFiles(source);
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
