/**
 * `deno task datasets`: the datasets there are, with their sources and settings.
 *
 * @module
 */

import { datasets } from "../datasets/mod.ts";
import { listingTask } from "./cli/listing.ts";
import { main } from "./cli/run.ts";

/** The task. */
export const datasetsTask = listingTask({
  name: "datasets",
  summary: "Lists the datasets with their sources and settings.",
  flag: "--dataset",
  listed: datasets,
  hints: [
    "Train on one: deno task train --dataset NAME",
    "or on files: deno task train --dataset PATH, a folder of PNGs, .npy, .npz, .csv, .mat or an idx file",
  ],
});

if (import.meta.main) await main(datasetsTask);
