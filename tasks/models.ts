/**
 * `deno task models`: the models there are, with their sources and settings.
 *
 * @module
 */

import type { Settings } from "../core/settings.ts";
import { models } from "../models/mod.ts";
import { flagName, type Flags, settingRows, tableLines } from "./cli/flags.ts";
import { type Context, main, type Task } from "./cli/run.ts";

type Groups = Record<never, never>;

const flags: Flags<Groups> = {
  name: "models",
  summary: "Lists the models with their sources and settings.",
  groups: {},
};

function run(_: unknown, { terminal, print, emit }: Context): void {
  const columns = terminal.interactive ? Math.min(100, terminal.columns()) : 100;
  for (const { name, summary, source, settings } of models.values()) {
    emit({ name, summary, source, settings });
    print(`${name}: ${summary}`);
    print(`  Source: ${source}`);
    // Those that other models have alike stand under headings of their own.
    const [first, headed] = [false, true].map((wanted) =>
      Object.entries(settings as Settings<Record<string, unknown>>).filter(([, { heading }]) =>
        (heading !== undefined) === wanted
      )
    );
    const rows = settingRows({ title: name, settings: Object.fromEntries(first) as Settings<unknown> });
    for (const line of rows.length ? tableLines(rows, columns) : []) print(line);
    if (headed.length) {
      print(`  and ${headed.map(([key]) => flagName(key)).join(", ")}: deno task train --model ${name} --help`);
    }
    print();
  }
  print("Train one: deno task train --model NAME; a model of your own: deno task train --model ./my_vae.ts");
}

/** The task. */
export const modelsTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(modelsTask);
