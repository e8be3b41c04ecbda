/**
 * The trackers that a command line names, and what they are told of a training.
 *
 * @module
 */

import type { Split } from "../../core/dataset.ts";
import type { TrainingEvent } from "../../core/training/events.ts";
import type { Trained } from "../../core/training/trained.ts";
import type { Setting } from "../../core/settings.ts";
import { mlflow } from "../../trackers/mlflow.ts";
import { moduleTracker } from "../../trackers/module.ts";
import { type Destination, Outbox } from "../../trackers/outbox.ts";
import { Tensorboard } from "../../trackers/tensorboard.ts";
import { wandb } from "../../trackers/wandb.ts";
import { UsageError } from "./flags.ts";
import { loadModule, namesModule } from "./model_module.ts";
import { quoted } from "./quoted.ts";
import type { Context } from "./run.ts";

/** Trackers by name; what is none of them is a module. */
export const TRACKERS = ["tensorboard", "mlflow", "wandb"] as const;

/** What becomes the flag that names them. */
export function trackerSetting(help: string): Setting<readonly string[]> {
  return {
    type: "strings",
    default: [],
    help:
      `${help}: tensorboard, mlflow (MLFLOW_TRACKING_URI), wandb (WANDB_API_KEY), or a module of your own, ./mine.ts; ` +
      "several with commas",
  };
}

/** Milliseconds for which the end of a training waits for trackers elsewhere. */
const LAST_WAIT = 10_000;

/** The tracker elsewhere of a name. */
export async function destinationOf(name: string): Promise<Destination> {
  const variable = (name: string) => Deno.env.get(name);
  if (name === "mlflow") return mlflow(variable);
  if (name === "wandb") {
    return await wandb(variable).catch((error) => {
      // What is missing is a matter of the command line's surroundings.
      throw new UsageError(error.message, { cause: error });
    });
  }
  if (!namesModule(name)) {
    throw new UsageError(
      `Cannot log to "${name}": expected ${TRACKERS.join(", ")} or a module, such as ./mine.ts, found none of them`,
    );
  }
  return moduleTracker(name, (await loadModule(name, "tracker")).exports);
}

/** Those that a training tells of itself. */
export class Trackers implements Disposable {
  private constructor(
    readonly folder: string,
    readonly board: Tensorboard | undefined,
    readonly boxes: readonly Outbox[],
  ) {}

  /** Finds them, before anything is trained; a run folder is written to only once there is something to say. */
  static async find(names: readonly string[]): Promise<(folder: string) => Promise<Trackers>> {
    const destinations = await Promise.all(names.filter((name) => name !== "tensorboard").map(destinationOf));
    return async (folder) =>
      new Trackers(
        folder,
        names.includes("tensorboard") ? await Tensorboard.begin(folder) : undefined,
        destinations.map((destination) => new Outbox(folder, destination)),
      );
  }

  /** Tells them of an event that the run folder has. Trackers elsewhere are told beside the training. */
  async take(event: TrainingEvent, model: { readonly trained: Trained; readonly rows: Split }): Promise<void> {
    if (event.event !== "epoch" && event.event !== "end") return;
    for (const box of this.boxes) box.post();
    if (event.event === "epoch") await this.board?.epoch(event, model);
    else await this.board?.end(model);
  }

  /** Waits for those that are slow, and says what is left to send. */
  async settle({ print }: Context): Promise<void> {
    if (this.board) print(`For TensorBoard: tensorboard --logdir ${quoted(this.board.folder)}`);
    for (const box of this.boxes) {
      if (await box.settled(LAST_WAIT)) continue;
      const { name } = box.destination;
      const [why] = (box.failure?.message ?? "it has not answered yet").split("\n");
      print(`Not all was sent to ${name}: ${why}. Nothing is lost; send it later with`);
      print(`  deno task log --run ${quoted(this.folder)} --to ${name}`);
    }
  }

  [Symbol.dispose](): void {
    this.board?.[Symbol.dispose]();
  }
}
