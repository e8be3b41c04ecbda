/**
 * `deno task log`: tells trackers of a run what they have not been told.
 *
 * @module
 */

import { Trained } from "../core/training/trained.ts";
import { readMetrics } from "../storage/run_folder.ts";
import { Outbox } from "../trackers/outbox.ts";
import { Tensorboard } from "../trackers/tensorboard.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { plural } from "../core/plural.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";
import { destinationOf, trackerSetting } from "./cli/trackers.ts";

interface Log {
  readonly to: readonly string[];
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly log: FlagGroup<Log>;
};

const flags: Flags<Groups> = {
  name: "log",
  summary: "Tells trackers of a run: the losses of every epoch, and TensorBoard also pictures, weights and latents.",
  groups: {
    run: runChoice,
    data: dataFlags,
    log: { title: "Trackers", settings: { to: trackerSetting("which") }, placeholders: { to: "NAME" } },
  },
  examples: ["deno task log --to tensorboard", "deno task log --run runs/mine --to mlflow"],
};

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { to } = values.log;
  if (!to.length) throw new UsageError("Cannot log: expected --to tensorboard, mlflow, wandb or a module, found none");
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const destinations = await Promise.all(to.filter((name) => name !== "tensorboard").map(destinationOf));
  if (to.includes("tensorboard")) {
    const { rows } = await chosenRows(chosen, values.data, context);
    using trained = await Trained.fromCheckpoint(model, checkpoint);
    using board = await Tensorboard.begin(folder);
    const epochs = (await readMetrics(folder)).filter((event) => event.event === "epoch");
    for (const [i, event] of epochs.entries()) {
      await board.epoch(event, i === epochs.length - 1 ? { trained, rows } : undefined);
    }
    await board.end({ trained, rows });
    context.print(`${board.path}: ${plural(epochs.length, "epoch")}. tensorboard --logdir ${board.folder}`);
    context.emit({ run: folder, to: "tensorboard", file: board.path, epochs: epochs.length });
  }
  for (const destination of destinations) {
    await new Outbox(folder, destination).send();
    await destination.close?.();
    context.print(`${destination.name} has all of ${folder}`);
    context.emit({ run: folder, to: destination.name });
  }
}

/** The task. */
export const logTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(logTask);
