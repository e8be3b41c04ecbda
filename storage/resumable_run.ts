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
import { type Checkpoint, type CheckpointHeader, encodeCheckpoint } from "../core/training/checkpoint.ts";
import type { EndEvent, EpochEvent, StartEvent, TrainingEvent } from "../core/training/events.ts";
import { caveats, scheduleCaveats } from "../core/training/caveats.ts";
import { isExhausted } from "../core/training/patience.ts";
import type { Training } from "../core/training/trainer.ts";
import { completedEpochs, trainingSteps } from "../core/training/training_settings.ts";
import { save } from "./checkpoint.ts";
import { FolderLock, LOCK_FILE } from "./folder_lock.ts";
import {
  FILES,
  isLeftOver,
  join,
  readBest,
  readConfig,
  readMetrics,
  type RunConfig,
  type StoredRun,
  type TestResults,
} from "./run_folder.ts";
import { isFile } from "./read.ts";
import { versions } from "./versions.ts";
import { requireNoLink, writeFileAtomically, writeText } from "./write.ts";

/** Seconds from one checkpoint to the next, where nothing else is said: small data would spend their time on the disk. */
export const CHECKPOINT_SECONDS = 10;

/** How a run is recorded. */
export interface RecordOptions {
  /** The run that is gone on with, in this folder or another one. */
  readonly resumed?: StoredRun;
  /** Epochs from one checkpoint to the next. Default: 1. */
  readonly every?: number;
  /** Seconds from one checkpoint to the next at least; the end has one in any case. Default: {@linkcode CHECKPOINT_SECONDS}. */
  readonly seconds?: number;
  /** The run whose weights this one begins with. */
  readonly from?: string;
  /** Where the model comes from, if it is not one of elbo's. */
  readonly module?: string;
  /** The command line that was given, for `config.json`. */
  readonly command?: string;
  /** The folder's lock, where the caller has it already: it stays the caller's. Default: taken, and given back after the last event. */
  readonly lock?: FolderLock;
}

/**
 * Keeps in a folder what a training yields: its configuration, the figures of every epoch, and checkpoints: the last, and beside it that
 * of the best epoch where it is another one, without what only the optimizer needs. A run that was stopped or killed goes on from its last
 * checkpoint, to the bytes that it would have had. While it is recorded nothing else can record in the folder.
 *
 * ```ts ignore
 * const resumed = await readRun("runs/mine");
 * const training = train(vae, dataset, resumed ? {} : { epochs: 10 }, { resume: resumed?.checkpoint });
 * using recorder = await RunRecorder.claim("runs/mine", training, { resumed });
 * for await (const event of training) await recorder.record(event);
 * ```
 */
export class RunRecorder implements Disposable {
  #saved: { readonly place: { readonly step: number; readonly epoch: number }; readonly time: number } | undefined;
  /** The best epoch's checkpoint, which is written with the next one that is another. */
  #best: Uint8Array | undefined;
  /** The lock, where it is this recorder's to give back. */
  #lock: FolderLock | undefined;

  private constructor(
    readonly folder: string,
    readonly training: Training<object>,
    readonly options: RecordOptions,
  ) {}

  /**
   * Makes the folder where there is none, and locks it. Of a run that is gone on with it keeps the figures up to the checkpoint.
   *
   * @param training What is iterated over, not yet begun.
   * @throws {Error} If the folder cannot be written to, another training is recorded in it, or it holds a run that is not gone on with.
   */
  static async claim(
    folder: string,
    training: Training<object>,
    options: RecordOptions = {},
  ): Promise<RunRecorder> {
    const recorder = new RunRecorder(folder, training, options);
    if (!options.lock) recorder.#lock = await FolderLock.take(folder);
    try {
      const { resumed } = options;
      if (!resumed && await isFile(join(folder, FILES.checkpoint))) {
        throw new Error(
          `Cannot begin a run in "${folder}": expected none in it, found ${FILES.checkpoint}; ` +
            "go on with that one, or name another folder",
        );
      }
      await removeLeftOver(folder);
      if (resumed) await cutMetrics(resumed.folder, folder, resumed.checkpoint.progress.step);
      else await Deno.remove(join(folder, FILES.metrics)).catch(() => {});
      return recorder;
    } catch (error) {
      recorder[Symbol.dispose]();
      throw error;
    }
  }

  /** Gives the folder free. Needed only where the training does not come to its last event. */
  [Symbol.dispose](): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = undefined;
  }

  /** Where the last checkpoint that this recorder wrote stands. */
  get saved(): { readonly step: number; readonly epoch: number } | undefined {
    return this.#saved?.place;
  }

  /** Records one event. Every event of the training must come here, in order. */
  async record(event: TrainingEvent): Promise<void> {
    switch (event.event) {
      case "start":
        await this.#configure(event);
        await this.#startBest(event.step);
        // From now on there is a checkpoint, and it is known that one can be written.
        return await this.#save(event.step, completedEpochs(event.step, this.training.trained));
      case "epoch":
        // Before the checkpoint: a resumed run cuts back what goes beyond it, but could not fill a gap.
        await appendMetrics(this.folder, event);
        await this.#keepBest(event.step);
        if (this.#isDue(event.epoch)) await this.#save(event.step, event.epoch);
        return;
      case "end":
        if (this.saved?.step !== event.step) await this.#save(event.step, event.epochs);
        await appendMetrics(this.folder, { ...event, run: this.folder });
        return this[Symbol.dispose]();
    }
  }

  /** Writes a checkpoint of where the training stands, if the last one is of before: for when an error ended it. */
  async keep(): Promise<void> {
    const { progress: { step }, training, data } = this.training.trained;
    if (this.saved?.step !== step) await this.#save(step, completedEpochs(step, { training, data }));
  }

  #isDue(epoch: number): boolean {
    const { every = 1, seconds = CHECKPOINT_SECONDS } = this.options;
    const since = (performance.now() - (this.#saved?.time ?? -Infinity)) / 1000;
    return epoch % every === 0 && since >= seconds;
  }

  async #save(step: number, epoch: number): Promise<void> {
    const { best } = this.training.trained.progress;
    const file = join(this.folder, FILES.best);
    const isBest = best?.step === step;
    // First: a checkpoint then always has the best one before it beside it.
    if (best && !isBest && this.#best) {
      await writeFileAtomically(file, this.#best);
      this.#best = undefined;
    }
    await save(this.training.trained, join(this.folder, FILES.checkpoint));
    if (isBest) await Deno.remove(file).catch(() => {});
    this.#saved = { place: { step, epoch }, time: performance.now() };
  }

  /** The best checkpoint of the run that is gone on with, as this training would have written it. */
  async #startBest(step: number): Promise<void> {
    const { resumed } = this.options;
    const best = resumed && await readBest(resumed);
    if (!best) return await this.#keepBest(step);
    const { file: _, tensors, ...header } = best;
    const { training, data } = this.training.trained;
    this.#best = encodeCheckpoint({ ...header, training, data }, tensors);
  }

  async #keepBest(step: number): Promise<void> {
    const { trained } = this.training;
    if (trained.progress.best?.step === step) this.#best = await trained.toBytes({ optimizer: false });
  }

  async #configure({ model, dataset, data, adapter, parameters, config }: StartEvent): Promise<void> {
    const { trained } = this.training;
    const { module, command, resumed, from = resumed?.config?.from } = this.options;
    const commands = [...resumed?.config?.commands ?? [], ...(command ? [command] : [])];
    const started = resumed?.config?.started ?? new Date().toISOString();
    await writeConfig(this.folder, {
      model,
      ...(module ? { module } : {}),
      dataset,
      ...(trained.data.settings ? { datasetSettings: trained.data.settings } : {}),
      ...(trained.data.seed === undefined ? {} : { dataSeed: trained.data.seed }),
      tiles: trained.training.tiles,
      adapter,
      parameters,
      started,
      ...(from ? { from } : {}),
      ...(commands.length ? { commands } : {}),
      versions: { ...await versions(), driver: trained.gpu.identity },
      remarks: [
        ...caveats(trained.model, trained.config, trained.training.binarize, trained.data),
        ...scheduleCaveats(trained.training, trained.data.count),
      ],
      data,
      config,
    });
  }
}

/** Adds to `config.json`, where there is one, what the test rows gave. */
export async function recordTest(folder: string, test: TestResults): Promise<void> {
  const config = await readConfig(folder);
  if (config) await writeConfig(folder, { ...config, test });
}

/** Writes `config.json`. */
async function writeConfig(folder: string, config: Partial<RunConfig>): Promise<void> {
  await writeText(join(folder, FILES.config), JSON.stringify(config, undefined, 2) + "\n");
}

/** Adds an event to `metrics.jsonl`: the whole line, or nothing where the disk is full. */
async function appendMetrics(
  folder: string,
  event: EpochEvent | (EndEvent & { readonly run: string }),
): Promise<void> {
  const path = join(folder, FILES.metrics);
  await requireNoLink(path);
  using file = await Deno.open(path, { append: true, create: true });
  const { size } = await file.stat();
  try {
    let line = new TextEncoder().encode(JSON.stringify(event) + "\n");
    while (line.length) line = line.subarray(await file.write(line));
  } catch (cause) {
    await file.truncate(size).catch(() => {});
    throw new Error(`Cannot write to "${path}": ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

/** Takes half-written files away that a kill left. */
async function removeLeftOver(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name !== LOCK_FILE && isLeftOver(name)) await Deno.remove(join(folder, name));
  }
}

/** Writes the epochs up to a step to `metrics.jsonl`, so that a run which goes on from there adds its own after them. */
async function cutMetrics(from: string, to: string, step: number): Promise<void> {
  const kept = (await readMetrics(from)).filter((event) => event.event === "epoch" && event.step <= step);
  await writeText(join(to, FILES.metrics), kept.map((event) => JSON.stringify(event) + "\n").join(""));
}

/** Epochs that a run can be trained for: as many as are asked for, or fewer where a model is then done, as by a closed form. */
export function epochsOf(model: Model, { config }: { readonly config: object }, asked: number): number {
  return Math.min(asked, model.fitIterations?.(config) ?? Infinity);
}

/** Whether a run has been trained for so many epochs, or for as long as its patience lasts. */
export function isComplete({ data, training, progress }: CheckpointHeader, epochs: number = training.epochs): boolean {
  return progress.step >= stepsOf({ data, training }, epochs) || isEarly({ data, training, progress });
}

/** Whether a run was ended by its patience. */
export function isEarly(
  { data, training, progress }: Pick<CheckpointHeader, "data" | "training" | "progress">,
): boolean {
  return isExhausted(training.patience, completedEpochs(progress.step, { training, data }), progress.best);
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
  { progress, training, data }: Checkpoint,
): Promise<EndEvent | undefined> {
  const last = events.findLast((event): event is EpochEvent => event.event === "epoch");
  if (!last || last.step !== progress.step) return undefined;
  const { train, validation, samplesPerSecond, seconds, step } = last;
  const end: EndEvent = {
    event: "end",
    epochs: last.epoch,
    step,
    train,
    ...(validation ? { validation } : {}),
    samplesPerSecond,
    seconds,
    stopped: false,
    ...(isEarly({ progress, training, data }) ? { early: true } : {}),
    ...(progress.best ? { best: progress.best } : {}),
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
