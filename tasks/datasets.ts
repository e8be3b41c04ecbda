/**
 * `deno task datasets`: the datasets there are, with their sources and settings.
 *
 * @module
 */

import { datasets } from "../datasets/mod.ts";
import type { Settings } from "../core/settings.ts";
import { type Flags, settingRows, tableLines } from "./cli/flags.ts";
import { type Context, main, type Task } from "./cli/run.ts";

type Groups = Record<never, never>;

const flags: Flags<Groups> = {
  name: "datasets",
  summary: "Lists the datasets with their sources and settings.",
  groups: {},
};

function run(_: unknown, { terminal, print, emit }: Context): void {
  const columns = terminal.interactive ? Math.min(100, terminal.columns()) : 100;
  for (const { name, summary, source, settings = {} } of datasets.values()) {
    emit({ name, summary, source, settings });
    print(`${name}: ${summary}`);
    print(`  Source: ${source}`);
    const rows = settingRows({ title: name, settings: settings as Settings<unknown> });
    for (const line of rows.length ? tableLines(rows, columns) : []) print(line);
    print();
  }
  print("Train on one: deno task train --dataset NAME");
  print("or on files: deno task train --dataset PATH, a folder of PNGs, .npy, .npz, .csv, .mat or an idx file");
}

/** The task. */
export const datasetsTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(datasetsTask);
