/**
 * `deno task reconstruct`: shows data beside what a trained model makes of it.
 *
 * @module
 */

import { Trained } from "../core/training/trained.ts";
import { PAIRS, reconstructions } from "../figures/images.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { writeFigure } from "./cli/pictures.ts";
import { pixels } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice, splitFlag, type SplitName } from "./cli/run_flags.ts";
import { chosenRun, datasetOf, FILES, join, sayData, splitOf } from "./cli/run_folder.ts";

interface Drawing {
  readonly split: SplitName;
  readonly count: number;
  readonly out: string;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly drawing: FlagGroup<Drawing> };

const flags: Flags<Groups> = {
  name: "reconstruct",
  summary: "Draws the first rows of the data, each above its reconstruction: the decoder's mean at the encoder's mean.",
  groups: {
    run: runChoice,
    drawing: {
      title: "Drawing",
      settings: {
        split: splitFlag,
        count: { type: "integer", default: PAIRS, minimum: 1, maximum: 100_000, help: "how many pairs" },
        out: {
          type: "string",
          default: "",
          help: `the PNG to write (default: ${FILES.reconstructions} in the run folder)`,
        },
      },
      placeholders: { out: "FILE" },
    },
  },
  examples: ["deno task reconstruct", "deno task reconstruct --run runs/mine --split train --count 20 --out train.png"],
};

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const { out, split } = values.drawing;
  const file = out || join(folder, FILES.reconstructions);
  const dataset = await datasetOf(chosen, context.signal);
  sayData(context, dataset, checkpoint);
  const rows = splitOf(dataset, checkpoint, split);
  const count = Math.min(values.drawing.count, rows.count);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  await writeFigure(file, await reconstructions(trained, rows, count));
  context.print(`${file}: ${count} ${split} images, each above its reconstruction by ${model.name}`);
  context.print(pixels(checkpoint.training.binarize, model.support?.(trained.config)));
  context.emit({ run: folder, file, split, count, binarize: checkpoint.training.binarize });
}

/** The task. */
export const reconstructTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(reconstructTask);
