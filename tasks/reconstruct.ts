/**
 * `deno task reconstruct`: shows data beside what a trained model makes of it.
 *
 * @module
 */

import { Trained } from "../core/training/trained.ts";
import { TABLES, writeTable } from "../storage/table_file.ts";
import { PAIRS, reconstructions } from "../figures/images.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { defaultFile, described, formatFor, formatOf, isPicture, rowFields, valueField } from "./cli/outputs.ts";
import { writeFigure } from "./cli/pictures.ts";
import { binarizationOf } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { chosenRows, type DataFlags, dataFlags, firstRows } from "./cli/run_data.ts";
import { type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun, FILES } from "./cli/run_folder.ts";

interface Drawing {
  readonly count: number;
  readonly out: string;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly drawing: FlagGroup<Drawing>;
};

/** A picture, or the reconstructions as numbers. */
const FORMATS = ["png", "svg", ...TABLES] as const;

const flags: Flags<Groups> = {
  name: "reconstruct",
  summary:
    "Draws the first rows of the data, each above its reconstruction: the decoder's mean at the encoder's mean. " +
    "Of tables the reconstructions are a table.",
  groups: {
    run: runChoice,
    data: dataFlags,
    drawing: {
      title: "Drawing",
      settings: {
        count: {
          type: "integer",
          default: 0,
          minimum: 0,
          maximum: 10_000_000,
          help: `how many rows; 0: ${PAIRS} in a picture, all in a table`,
        },
        out: {
          type: "string",
          default: "",
          help:
            `the picture to write, .png or with words around it .svg; or of numbers .csv, .parquet, .npy or .npz (default: ${FILES.reconstructions} in the ` +
            "run folder, reconstructions.csv of a table)",
        },
      },
      placeholders: { out: "FILE" },
    },
  },
  examples: ["deno task reconstruct", "deno task reconstruct --run runs/mine --split train --count 20 --out train.png"],
};

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { out } = values.drawing;
  formatOf(out, FORMATS);
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  const format = formatFor(out, checkpoint.data.shape);
  const all = await chosenRows(run, values.data, context);
  const chosen = firstRows(all, values.drawing.count || (isPicture(format) ? PAIRS : Infinity));
  const { rows, split, own, dataset } = chosen;
  const { count } = rows;
  const file = out || await defaultFile(folder, "reconstructions", format, chosen);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  if (isPicture(format)) {
    await writeFigure(file, await reconstructions(trained, rows, { count, framed: format === "svg" }));
  } else {
    const values = await trained.reconstruct(trained.rowsOf(rows), rows);
    await writeTable(file, { count, fields: [...rowFields(chosen), valueField(values, trained.data)] }, format);
  }
  context.print(
    isPicture(format)
      ? `${file}: ${described(chosen, "image")}, each above its reconstruction by ${model.name}`
      : `${file}: ${described(chosen)}, reconstructed by ${model.name}`,
  );
  for (const line of binarizationOf(trained)) context.print(line);
  const data = { dataset: dataset.name, own, split };
  context.emit({ run: folder, file, ...data, count, binarize: checkpoint.training.binarize });
}

/** The task. */
export const reconstructTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(reconstructTask);
