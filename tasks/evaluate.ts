/**
 * `deno task evaluate`: ELBO, NLL and KL of a trained model on a split of its data.
 *
 * @module
 */

import { type Binarization, BINARIZATIONS } from "../core/ops/gather.ts";
import { bitsPerDimension } from "../core/distributions/discretized_logistic.ts";
import { Trained } from "../core/trained.ts";
import { type FlagGroup, type Flags, type Parsed, tableLines } from "./cli/flags.ts";
import { remarks } from "../core/remarks.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { chosenRun, datasetOf, type RunChoice, runChoice, splitOf, SPLITS } from "./cli/run_folder.ts";

interface Measuring {
  readonly split: typeof SPLITS[number];
  readonly samples: number;
  readonly binarize: Binarization | "as-trained";
  readonly seed: number;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly measuring: FlagGroup<Measuring> };

const flags: Flags<Groups> = {
  name: "evaluate",
  summary: "Means over the rows of a split, in nats per datum: elbo = -(nll + kl), whatever weights were trained with.",
  groups: {
    run: runChoice,
    measuring: {
      title: "Measuring",
      settings: {
        split: { type: "choice", default: "test", choices: SPLITS, help: "which rows" },
        samples: { type: "integer", default: 1, minimum: 1, maximum: 100_000, help: "draws of z for each row" },
        binarize: {
          type: "choice",
          default: "as-trained",
          choices: ["as-trained", ...BINARIZATIONS],
          help: "how pixels become data; figures of two ways cannot be compared",
        },
        seed: { type: "integer", default: 0, minimum: 0, maximum: 0xffffffff, help: "of the draws" },
      },
    },
  },
  examples: ["deno task evaluate", "deno task evaluate --run runs/mine --split validation --samples 50 --json"],
};

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const { split, samples, seed } = values.measuring;
  const binarize = values.measuring.binarize === "as-trained"
    ? checkpoint.training.binarize
    : values.measuring.binarize;
  const rows = splitOf(await datasetOf(chosen, context.signal), checkpoint, split);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const { loss: _, ...losses } = await trained.evaluate(rows, { samples, binarize, seed, signal: context.signal });
  // Of pixels as they were: their probability is the whole datum's.
  const ofBytes = model.support?.(trained.config) === "bytes" && binarize === "none";
  const bits = ofBytes ? { bitsPerDimension: bitsPerDimension(-losses.elbo, trained.features) } : {};
  const notes = remarks(model, trained.config, binarize);
  const draws = samples === 1 ? "1 draw" : `${samples} draws`;
  context.print(
    `${model.name} on ${checkpoint.data.name}, ${split}: ${rows.count} rows, ${draws} of z each, nats per datum`,
  );
  context.print();
  const table = Object.entries({ ...losses, ...bits }).map(([name, value]) =>
    [name, value.toFixed(3).padStart(10)] as const
  );
  for (const line of tableLines(table, 100)) context.print(line);
  context.print();
  for (const note of notes) context.print(note);
  context.emit({ run: folder, split, samples, seed, ...losses, ...bits, count: rows.count, binarize, remarks: notes });
}

/** The task. */
export const evaluateTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(evaluateTask);
