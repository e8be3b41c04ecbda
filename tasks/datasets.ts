/**
 * `deno task datasets`: the datasets there are, with their sources.
 *
 * @module
 */

import { datasets } from "../datasets/mod.ts";
import type { Flags } from "./cli/flags.ts";
import { type Context, main, type Task } from "./cli/run.ts";

type Groups = Record<never, never>;

const flags: Flags<Groups> = { name: "datasets", summary: "Lists the datasets with their sources.", groups: {} };

function run(_: unknown, { print, emit }: Context): void {
  for (const { name, summary, source } of datasets.values()) {
    emit({ name, summary, source });
    print(`${name}: ${summary}`);
    print(`  Source: ${source}`);
    print();
  }
  print("Train on one: deno task train --dataset NAME");
  print("or on files: deno task train --dataset PATH, a folder of PNGs, .npy, .npz, .csv, .mat or an idx file");
}

/** The task. */
export const datasetsTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(datasetsTask);
