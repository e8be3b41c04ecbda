/**
 * The folder that a training leaves behind: what its files are called, and how they are written and read again. It finds no folder
 * and draws no picture.
 *
 * A run folder may come from anyone, so a symbolic link in it is never written through: files are replaced as a whole
 * (`writeFileAtomically` replaces the link), and what is added to or made in it goes by {@linkcode requireNoLink}. The run
 * folder itself may be a link: it was named by the user.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { save } from "./checkpoint.ts";
import { readIfThere } from "./read.ts";
import { writeText } from "./write.ts";
import type { EndEvent, EpochEvent, StartEvent, TrainingEvent } from "../core/training/events.ts";
import {
  type Check,
  either,
  fields,
  finite,
  flag,
  listOf,
  measure,
  oneOf,
  optional,
  parseJson,
  recordOf,
  text,
  whole,
} from "../core/json.ts";
import { remarks, scheduleRemarks } from "../core/training/remarks.ts";
import type { Checkpoint, CheckpointHeader } from "../core/training/checkpoint.ts";
import type { Training } from "../core/training/trainer.ts";
import { trainingSteps } from "../core/training/training_settings.ts";

/** The files of a run folder. */
export const FILES = {
  config: "config.json",
  metrics: "metrics.jsonl",
  checkpoint: "checkpoint.safetensors",
  samples: "samples.png",
  reconstructions: "reconstructions.png",
  report: "report.html",
} as const;

/** Numbers that a run counts: of steps, epochs, scalars. */
const counted = whole(0, 2 ** 32 - 1);

/** What a setting can be. */
const single = either("a number, text, true or false", finite, text, flag);
const setting = either("a number, text, true or false, or a list of them", single, listOf(single));

/** What `config.json` may leave out it may leave out; what it says must be of its type. */
const configCheck: Check = fields({
  model: optional(text),
  module: optional(text),
  dataset: optional(text),
  adapter: optional(text),
  parameters: optional(whole(0, Number.MAX_SAFE_INTEGER)),
  started: optional(text),
  remarks: optional(listOf(text)),
  config: optional(recordOf(setting)),
});

/** The terms that every model has, and others. */
const losses: Check = (value, name) =>
  recordOf(measure)(value, name) ?? fields({ elbo: measure, nll: measure, kl: measure, loss: measure })(value, name);

/** A line of `metrics.jsonl`. */
const eventCheck: Check = (value, name) =>
  fields({ event: oneOf("epoch", "end") })(value, name) ?? fields({
    ...(value as TrainingEvent).event === "epoch" ? { epoch: counted } : { epochs: counted, stopped: flag },
    step: counted,
    train: losses,
    validation: optional(losses),
    latents: optional(fields({ kl: listOf(measure), active: counted, of: counted })),
    ssim: optional(measure),
    samplesPerSecond: measure,
    seconds: measure,
  })(value, name);

/** The content of `config.json`. It is for people and for reports; what is done with a run follows from the checkpoint alone. */
export interface RunConfig {
  readonly model: string;
  /** Where the model came from, if it is not one of elbo's. For the record: nothing loads it from here. */
  readonly module?: string;
  readonly dataset: string;
  readonly adapter: string;
  /** Number of trained scalars. */
  readonly parameters: number;
  /** ISO 8601, UTC. */
  readonly started: string;
  /** What there is to know of the figures: how pixels were made into data, the effective β. */
  readonly remarks: readonly string[];
  /** Training and model settings, and the tile choice. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** How a run is recorded. */
export interface RecordOptions {
  /** Epochs from one checkpoint to the next. Default: 1. */
  readonly every?: number;
  /** Where the model comes from, if it is not one of elbo's. */
  readonly module?: string;
  /** When it began, ISO 8601; default: now. */
  readonly started?: string;
}

/**
 * Keeps in a folder what a training yields: its configuration, the figures of every epoch, and checkpoints.
 *
 * ```ts ignore
 * const recorder = new RunRecorder("runs/mine", training);
 * for await (const event of training) await recorder.record(event);
 * ```
 */
export class RunRecorder {
  #saved: { readonly step: number; readonly epoch: number } | undefined;

  /**
   * @param folder A folder that is there.
   * @param training What is iterated over.
   */
  constructor(
    readonly folder: string,
    readonly training: Training<object>,
    readonly options: RecordOptions = {},
  ) {}

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

  async #configure({ model, dataset, adapter, parameters, config }: StartEvent): Promise<void> {
    const { trained } = this.training;
    const { module, started = new Date().toISOString() } = this.options;
    await writeConfig(this.folder, {
      model,
      ...(module ? { module } : {}),
      dataset,
      adapter,
      parameters,
      started,
      remarks: [
        ...remarks(trained.model, trained.config, trained.training.binarize),
        ...scheduleRemarks(trained.training, trained.data.count),
      ],
      config,
    });
  }
}

/**
 * @throws {Error} If the path is a symbolic link: what is written there would end up elsewhere.
 */
export async function requireNoLink(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (info?.isSymlink) {
    throw new Error(`Cannot write to "${path}": expected no symbolic link in a run folder, found one; remove it`);
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

/**
 * What `config.json` says, or undefined where there is none.
 *
 * @throws {FileError} If it is damaged, or something in it is of another type.
 */
export async function readConfig(folder: string): Promise<Partial<RunConfig> | undefined> {
  const file = join(folder, FILES.config);
  const bytes = await readIfThere(file);
  if (bytes === undefined) return undefined;
  const config = parseJson(bytes, file);
  const wrong = configCheck(config, "the configuration");
  if (wrong) throw new FileError(file, wrong);
  return config as Partial<RunConfig>;
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
 * The events of `metrics.jsonl`. What comes after the last line feed is left out: a kill cut it short.
 *
 * @throws {FileError} If a line is damaged, or something in it is of another type.
 */
export async function readMetrics(folder: string): Promise<(EpochEvent | EndEvent)[]> {
  const file = join(folder, FILES.metrics);
  const bytes = await readIfThere(file);
  if (bytes === undefined) return [];
  const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
  return lines.map((line, i) => {
    const event = parseJson(line, file, `an event in JSON in line ${i + 1}`);
    const wrong = eventCheck(event, "the event");
    if (wrong) throw new FileError(file, `${wrong}, in line ${i + 1}`);
    return event as EpochEvent | EndEvent;
  });
}

/**
 * Writes the epochs up to a step to `metrics.jsonl`, so that a run which goes on from there adds its own after them, and takes
 * half-written files away that a kill left.
 */
export async function cutMetrics(from: string, to: string, step: number): Promise<void> {
  for await (const { name } of Deno.readDir(to)) {
    const isLeft = Object.values(FILES).some((file) => name.startsWith(`${file}.`)) && name.endsWith(".tmp");
    if (isLeft) await Deno.remove(join(to, name));
  }
  const kept = (await readMetrics(from)).filter((event) => event.event === "epoch" && event.step <= step);
  await writeText(join(to, FILES.metrics), kept.map((event) => JSON.stringify(event) + "\n").join(""));
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

/** A path inside a folder. */
export function join(folder: string, name: string): string {
  return `${folder.replace(/[/\\]+$/, "")}/${name}`;
}
