/**
 * The list of datasets. A dataset is one file beside this one, and one line here.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { mnist } from "./mnist.ts";

/** Every dataset that can be named, by name. */
export const datasets: ReadonlyMap<string, DatasetSource> = new Map([mnist].map((source) => [source.name, source]));

/**
 * The dataset of a name.
 *
 * @param name As in `--dataset`.
 * @throws {RangeError} If there is none of that name; the message lists the known ones.
 */
export function findDataset(name: string): DatasetSource {
  const source = datasets.get(name);
  if (!source) {
    throw new RangeError(
      `Cannot find dataset "${name}": expected one of ${[...datasets.keys()].join(", ")}, found "${name}"`,
    );
  }
  return source;
}
