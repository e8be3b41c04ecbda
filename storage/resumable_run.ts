/**
 * A run on disk: claimed, recorded, resumed, completed. The same for a training that a user asks for and for those of an experiment.
 *
 * A run folder may come from anyone, so a symbolic link in it is never written through: files are replaced as a whole
 * (`writeFileAtomically` replaces the link), and what is added to or made in it goes by `requireNoLink`. The run folder itself may be a
 * link: it was named by the user.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import type { Checkpoint, CheckpointHeader } from "../core/training/checkpoint.ts";
import type { EndEvent, EpochEvent, StartEvent, TrainingEvent } from "../core/training/events.ts";
import { caveats, scheduleCaveats } from "../core/training/caveats.ts";
import type { Training } from "../core/training/trainer.ts";
import { trainingSteps } from "../core/training/training_settings.ts";
import { save } from "./checkpoint.ts";
import { FILES, join, readMetrics, type RunConfig, type StoredRun } from "./run_folder.ts";
import { requireNoLink, writeText } from "./write.ts";

/** How a run is recorded. */
export interface RecordOptions {
  /** The run that is gone on with, in this folder or another one. */
  readonly resumed?: StoredRun;
  /** Epochs from one checkpoint to the next. Default: 1. */
  readonly every?: number;
  /** Where the model comes from, if it is not one of elbo's. */
  readonly module?: string;
}

/**
 * Keeps in a folder what a training yields: its configuration, the figures of every epoch, and checkpoints. A run that was stopped or
 * killed goes on from its last checkpoint, to the bytes that it would have had.
 *
 * ```ts ignore
 * const resumed = await readRun("runs/mine");
 * const training = train(vae, dataset, resumed ? {} : { epochs: 10 }, { resume: resumed?.checkpoint });
 * const recorder = await RunRecorder.claim("runs/mine", training, { resumed });
 * for await (const event of training) await recorder.record(event);
 * ```
 */
export class RunRecorder {
  #saved: { readonly step: number; readonly epoch: number } | undefined;

  private constructor(
    readonly folder: string,
    readonly training: Training<object>,
    readonly options: RecordOptions,
  ) {}

  /**
   * Makes the folder where there is none. Of a run that is gone on with it keeps the figures up to the checkpoint.
   *
   * @param training What is iterated over, not yet begun.
   * @throws {Error} If the folder cannot be written to.
   */
  static async claim(
    folder: string,
    training: Training<object>,
    options: RecordOptions = {},
  ): Promise<RunRecorder> {
    await claimFolder(folder);
    const { resumed } = options;
    if (resumed) await cutMetrics(resumed.folder, folder, resumed.checkpoint.progress.step);
    return new RunRecorder(folder, training, options);
  }

  /** Where the last checkpoint that this recorder wrote stands. */
  get saved(): { readonly step: number; readonly epoch: number } | undefined {
    return this.#saved;
  }

  /** Records one event. Every event of the training must come here, in order. */
  async record(event: TrainingEvent): Promise<void> {
    switch (event.event) {
      case "start":
        await this.#configure(event);
        // From now on there is a checkpoint, and it is known that one can be written.
        return await this.#save(event.step, Math.floor(event.step / event.stepsPerEpoch));
      case "epoch":
        // Before the checkpoint: a resumed run cuts back what goes beyond it, but could not fill a gap.
        await appendMetrics(this.folder, event);
        if (event.epoch % (this.options.every ?? 1) === 0) await this.#save(event.step, event.epoch);
        return;
      case "end":
        if (this.#saved?.step !== event.step) await this.#save(event.step, event.epochs);
        return await appendMetrics(this.folder, { ...event, run: this.folder });
    }
  }

  async #save(step: number, epoch: number): Promise<void> {
    await save(this.training.trained, join(this.folder, FILES.checkpoint));
    this.#saved = { step, epoch };
  }

  async #configure({ model, dataset, data, adapter, parameters, config }: StartEvent): Promise<void> {
    const { trained } = this.training;
    const { module, resumed } = this.options;
    const started = resumed?.config?.started ?? new Date().toISOString();
    await writeConfig(this.folder, {
      model,
      ...(module ? { module } : {}),
      dataset,
      ...(trained.data.settings ? { datasetSettings: trained.data.settings } : {}),
      adapter,
      parameters,
      started,
      remarks: [
        ...caveats(trained.model, trained.config, trained.training.binarize),
        ...scheduleCaveats(trained.training, trained.data.count),
      ],
      data,
      config,
    });
  }
}

/**
 * Makes the folder where there is none, and tries to write to it.
 *
 * @throws {Error} If that fails.
 */
export async function claimFolder(folder: string): Promise<void> {
  const probe = join(folder, `.${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(probe, new Uint8Array(1), { createNew: true });
    await Deno.remove(probe);
  } catch (cause) {
    throw new Error(`Cannot write to the folder "${folder}": ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Writes `config.json`. */
async function writeConfig(folder: string, config: RunConfig): Promise<void> {
  await writeText(join(folder, FILES.config), JSON.stringify(config, undefined, 2) + "\n");
}

/** Adds an event to `metrics.jsonl`. */
async function appendMetrics(
  folder: string,
  event: EpochEvent | (EndEvent & { readonly run: string }),
): Promise<void> {
  const file = join(folder, FILES.metrics);
  await requireNoLink(file);
  await Deno.writeTextFile(file, JSON.stringify(event) + "\n", { append: true });
}

/**
 * Writes the epochs up to a step to `metrics.jsonl`, so that a run which goes on from there adds its own after them, and takes
 * half-written files away that a kill left.
 */
async function cutMetrics(from: string, to: string, step: number): Promise<void> {
  for await (const { name } of Deno.readDir(to)) {
    const isLeft = Object.values(FILES).some((file) => name.startsWith(`${file}.`)) && name.endsWith(".tmp");
    if (isLeft) await Deno.remove(join(to, name));
  }
  const kept = (await readMetrics(from)).filter((event) => event.event === "epoch" && event.step <= step);
  await writeText(join(to, FILES.metrics), kept.map((event) => JSON.stringify(event) + "\n").join(""));
}

/** Epochs that a run can be trained for: as many as are asked for, or fewer where a model is then done, as by a closed form. */
export function epochsOf(model: Model, { config }: { readonly config: object }, asked: number): number {
  return Math.min(asked, model.fitIterations?.(config) ?? Infinity);
}

/** Whether a run has been trained for so many epochs. */
export function isComplete({ data, training, progress }: CheckpointHeader, epochs: number = training.epochs): boolean {
  return progress.step >= stepsOf({ data, training }, epochs);
}

/** The events of a run that {@linkcode isComplete}; its end is written now if a kill kept it from being written. */
export async function completed(
  { folder, checkpoint }: StoredRun,
): Promise<{ readonly epochs: EpochEvent[]; readonly end?: EndEvent }> {
  const events = await readMetrics(folder);
  const end = events.findLast((event) => event.event === "end") ?? await closeMetrics(folder, events, checkpoint);
  return { epochs: events.filter((event) => event.event === "epoch"), ...(end ? { end } : {}) };
}

/** Writes the end event of a run that was killed after its last checkpoint. */
export async function closeMetrics(
  folder: string,
  events: readonly (EpochEvent | EndEvent)[],
  { progress, training }: Checkpoint,
): Promise<EndEvent | undefined> {
  const last = events.findLast((event): event is EpochEvent => event.event === "epoch");
  if (!last || last.step !== progress.step) return undefined;
  const { train, validation, samplesPerSecond, seconds, step } = last;
  const end: EndEvent = {
    event: "end",
    epochs: training.epochs,
    step,
    train,
    ...(validation ? { validation } : {}),
    samplesPerSecond,
    seconds,
    stopped: false,
  };
  const file = join(folder, FILES.metrics);
  await requireNoLink(file);
  // Written anew: what a kill left half-written would run into a line that is added.
  await writeText(file, [...events, { ...end, run: folder }].map((event) => JSON.stringify(event) + "\n").join(""));
  return end;
}

/** Steps after which a run of so many epochs is complete. */
export function stepsOf(
  { data, training }: Pick<CheckpointHeader, "data" | "training">,
  epochs: number = training.epochs,
): number {
  return trainingSteps({ ...training, epochs }, data.count);
}
