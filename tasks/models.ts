/**
 * `deno task models`: the models there are, with their sources and settings.
 *
 * @module
 */

import type { Settings } from "../core/settings.ts";
import { models } from "../models/mod.ts";
import { type FlagGroup, type Flags, type Parsed, settingRows, tableLines } from "./cli/flags.ts";
import { findNamedModel } from "./cli/model_module.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { textColumns } from "./cli/terminal.ts";

interface Listing {
  readonly model: string;
}

type Groups = { readonly listing: FlagGroup<Listing> };

const flags: Flags<Groups> = {
  name: "models",
  summary: "Lists the models; with --model all of one: its source and its settings.",
  groups: {
    listing: {
      title: "Listing",
      settings: { model: { type: "string", default: "", help: "a model, by its name or its module" } },
      placeholders: { model: "NAME" },
    },
  },
  first: "model",
  examples: ["deno task models", "deno task models --model beta_vae"],
};

async function run({ values }: Parsed<Groups>, { terminal, print, emit }: Context): Promise<void> {
  const columns = textColumns(terminal);
  const { model } = values.listing;
  const shown = model ? [(await findNamedModel(model)).model] : [...models.values()];
  for (const { name, summary, source, settings } of shown) emit({ name, summary, source, settings });
  if (model) {
    const [{ name, summary, source, settings }] = shown;
    print(`${name}: ${summary}`);
    print(`Source: ${source}`);
    print();
    const headed = Map.groupBy(
      Object.entries(settings as Settings<Record<string, unknown>>),
      ([, { heading = "Settings" }]) => heading,
    );
    for (const [title, entries] of headed) {
      print(title);
      const rows = settingRows({ title, settings: Object.fromEntries(entries) as Settings<unknown> });
      for (const line of tableLines(rows, columns)) print(line);
      print();
    }
    print(`Train it: deno task train --model ${model}`);
    return;
  }
  for (const line of tableLines(shown.map(({ name, summary }) => [name, summary] as const), columns)) print(line);
  print();
  print("All of one: deno task models --model NAME");
  print("Train one: deno task train --model NAME; a model of your own: deno task train --model ./my_vae.ts");
}

/** The task. */
export const modelsTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(modelsTask);
