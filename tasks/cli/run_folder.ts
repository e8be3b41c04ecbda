/**
 * The folder that a training leaves behind: what its files are called, how one is made, found and read again.
 *
 * @module
 */

import { writeFileAtomically } from "../../core/checkpoint.ts";
import { type Dataset, type DatasetSource, slice, type Split } from "../../core/dataset.ts";
import type { EndEvent, EpochEvent } from "../../core/events.ts";
import { type Checkpoint, decodeCheckpoint } from "../../core/trained.ts";
import { datasets, findDataset } from "../../datasets/mod.ts";
import { models } from "../../models/mod.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import { findNamedModel, type NamedModel } from "./model_module.ts";
import type { Context } from "./run.ts";

/** Where `train` puts its folders, and where the other tasks look for the newest. */
export const RUNS = "runs";

/** The folder in a run folder with the figures that are not among {@linkcode FILES}. */
export const FIGURES = "figures";

/** The files of a run folder. */
export const FILES = {
  config: "config.json",
  metrics: "metrics.jsonl",
  checkpoint: "checkpoint.safetensors",
  samples: "samples.png",
  reconstructions: "reconstructions.png",
  report: "report.html",
} as const;

/** The content of `config.json`. It is for reading: only `module` and `started` are read back, the checkpoint holds the rest. */
export interface RunConfig {
  readonly model: string;
  /** Where the model comes from, if it is not one of elbo's. */
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

/** A run read back. */
export interface Run extends NamedModel {
  readonly folder: string;
  readonly checkpoint: Checkpoint;
  /** Undefined where the file is missing. */
  readonly config?: Partial<RunConfig>;
}

/**
 * The run in a folder, or the newest of {@linkcode RUNS}.
 *
 * @param folder "" for the newest.
 * @param model The model's name or module, where it is not the one that `config.json` names.
 * @throws {UsageError} If there is no such folder.
 * @throws {Error} If a file is missing or damaged, or the checkpoint is of another model.
 */
export async function openRun(folder: string, model?: string): Promise<Run> {
  folder ||= await newestRun();
  const info = await Deno.stat(folder).catch(() => undefined);
  if (!info) throw new UsageError(`Cannot open the run "${folder}": there is no such folder`);
  if (!info.isDirectory) throw new UsageError(`Cannot open the run "${folder}": expected a folder, found a file`);
  const file = join(folder, FILES.checkpoint);
  const bytes = await Deno.readFile(file).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `Cannot open the run "${folder}": expected a ${FILES.checkpoint} in it, found none (is it a run folder?)`,
    );
  });
  const checkpoint = decodeCheckpoint(bytes, file);
  const config = await readConfig(folder);
  const named = await modelOf(checkpoint, model, config?.module);
  return { ...named, folder, checkpoint, ...(config ? { config } : {}) };
}

async function modelOf(
  checkpoint: Checkpoint,
  asked: string | undefined,
  module: string | undefined,
): Promise<NamedModel> {
  if (asked === undefined && module === undefined && !models.has(checkpoint.model)) {
    throw new Error(
      `Cannot load "${checkpoint.file}": its model "${checkpoint.model}" is none of ${
        [...models.keys()].join(", ")
      }; ` +
        "name its module with --model",
    );
  }
  const named = await findNamedModel(asked ?? module ?? checkpoint.model).catch((cause) => {
    if (asked !== undefined) throw cause;
    throw new Error(`${cause.message}; where it is now can be said with --model`, { cause });
  });
  if (named.model.name !== checkpoint.model) {
    throw new Error(
      `Cannot load "${checkpoint.file}": expected a model "${named.model.name}", found "${checkpoint.model}"`,
    );
  }
  return named;
}

/**
 * What `config.json` says, or undefined where there is none.
 *
 * @throws {Error} If it is damaged.
 */
export async function readConfig(folder: string): Promise<Partial<RunConfig> | undefined> {
  const file = join(folder, FILES.config);
  const text = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const config = JSON.parse(text);
    if (typeof config !== "object" || config === null) throw new SyntaxError("expected an object");
    return config;
  } catch (cause) {
    throw new Error(`Cannot read "${file}": ${cause instanceof Error ? cause.message : cause} (damaged?)`, { cause });
  }
}

/** The folder whose checkpoint was written last. */
async function newestRun(): Promise<string> {
  let newest: { folder: string; time: number } | undefined;
  for await (const entry of readDirectory(RUNS)) {
    const folder = join(RUNS, entry.name);
    const time = await Deno.stat(join(folder, FILES.checkpoint)).then((info) => info.mtime?.getTime() ?? 0, () => -1);
    if (time >= 0 && (!newest || time > newest.time)) newest = { folder, time };
  }
  if (newest) return newest.folder;
  throw new Error(
    `Cannot find a run in ${RUNS}/: train one with "deno task train:mnist", or say where it is with --run DIR`,
  );
}

async function* readDirectory(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** `runs/vae-mnist-20261121-093805`, local time; `-2` after it where that is taken. */
export async function defaultFolder(model: string, dataset: string, now = new Date()): Promise<string> {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  const name = join(RUNS, `${model}-${dataset}-${date}-${time}`.replaceAll(/[^\w.-]/g, "_"));
  for (let n = 1;; n++) {
    const folder = n === 1 ? name : `${name}-${n}`;
    if (!await Deno.lstat(folder).catch(() => undefined)) return folder;
  }
}

/**
 * @throws {UsageError} If something is there that a new run would overwrite.
 */
export async function requireFree(folder: string): Promise<void> {
  const info = await Deno.stat(folder).catch(() => undefined);
  if (!info) return;
  if (!info.isDirectory) throw new UsageError(`Cannot write the run to "${folder}": there is a file of that name`);
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  if (names.length === 0) return;
  const way = names.includes(FILES.checkpoint)
    ? `go on with the run in it by --resume ${quoted(folder)}, or name`
    : "name";
  throw new UsageError(`Cannot write the run to "${folder}": the folder is not empty; ${way} another one`);
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
    await Deno.writeFile(probe, new Uint8Array(1));
    await Deno.remove(probe);
  } catch (cause) {
    throw new Error(`Cannot write to the folder "${folder}": ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Writes `config.json`. */
export async function writeConfig(folder: string, config: RunConfig): Promise<void> {
  await writeText(join(folder, FILES.config), JSON.stringify(config, undefined, 2) + "\n");
}

/** Adds an event to `metrics.jsonl`. */
export async function appendMetrics(
  folder: string,
  event: EpochEvent | (EndEvent & { readonly run: string }),
): Promise<void> {
  await Deno.writeTextFile(join(folder, FILES.metrics), JSON.stringify(event) + "\n", { append: true });
}

/** The events of `metrics.jsonl`; a line that was cut short by a kill is left out. */
export async function readMetrics(folder: string): Promise<(EpochEvent | EndEvent)[]> {
  const text = await Deno.readTextFile(join(folder, FILES.metrics)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}

/**
 * Writes the epochs up to a step to `metrics.jsonl`, so that a run which goes on from there adds its own after them, and takes
 * half-written files away that a kill left.
 */
export async function cutMetrics(from: string, to: string, step: number): Promise<void> {
  const kept = (await readMetrics(from)).filter((event) => event.event === "epoch" && event.step <= step);
  await writeText(join(to, FILES.metrics), kept.map((event) => JSON.stringify(event) + "\n").join(""));
  for await (const { name } of Deno.readDir(to)) {
    const isLeft = Object.values(FILES).some((file) => name.startsWith(`${file}.`)) && name.endsWith(".tmp");
    if (isLeft) await Deno.remove(join(to, name));
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, new TextEncoder().encode(text));
}

/** Steps after which a run of so many epochs is complete. */
export function stepsOf({ data, training }: Checkpoint, epochs: number = training.epochs): number {
  return Math.ceil(epochs * data.count / training.batchSize);
}

/** Rows of the data that a run was trained on. */
export const SPLITS = ["test", "validation", "train"] as const;

/**
 * The rows of a split as the run divided them.
 *
 * @throws {UsageError} If the run held none out.
 */
export function splitOf(dataset: Dataset, { data, training }: Checkpoint, split: typeof SPLITS[number]): Split {
  if (split === "test") return dataset.test;
  if (split === "train") return slice(dataset.train, 0, data.count);
  if (training.validation === 0) {
    throw new UsageError(
      "Cannot use --split validation: the run was trained with --validation 0; expected test or train",
    );
  }
  return slice(dataset.train, data.count, data.count + training.validation);
}

/** A path inside a folder. */
export function join(folder: string, name: string): string {
  return `${folder.replace(/[/\\]+$/, "")}/${name}`;
}

/** A path as it can be typed in a shell. */
export function quoted(path: string): string {
  return /^[\w./:@%+,=~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** What every task that reads a run is told. */
export interface RunChoice {
  readonly run: string;
  readonly model: string;
}

/** The flags of {@linkcode RunChoice}. */
export const runChoice = {
  title: "Run",
  settings: {
    run: { type: "string", default: "", help: `the run folder (default: the newest in ${RUNS}/)` },
    model: { type: "string", default: "", help: "the module of the model, where it is no longer where it was" },
  },
  placeholders: { run: "DIR", model: "MODULE" },
} as const satisfies FlagGroup<RunChoice>;

/** The run that was asked for; one that was not named is called by its name. */
export async function chosenRun({ run, model }: RunChoice, { print }: Context): Promise<Run> {
  const opened = await openRun(run, model || undefined);
  if (!run) print(`Run: ${opened.folder} (the newest in ${RUNS}/)`);
  return opened;
}

/** Which data, and what they are divided or made by. */
export interface DataChoice {
  /** A known name or a path. */
  readonly name: string;
  readonly seed: number;
  /** Height and width, for images that are generated. */
  readonly size: number;
}

/** The choice that gives the data of a run again. */
export function dataChoice({ data: { name, seed = 0, shape: [size] } }: Checkpoint): DataChoice {
  return { name, seed, size };
}

/**
 * The dataset of a name or path.
 *
 * @throws {UsageError} If there is none.
 */
export function namedDataset(nameOrPath: string): DatasetSource {
  try {
    return findDataset(nameOrPath);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/**
 * The data that a run was trained on.
 *
 * @throws {Error} If they are no longer where they were, or are others now.
 */
export async function datasetOf({ checkpoint }: Run, signal: AbortSignal): Promise<Dataset> {
  const { name, seed, size } = dataChoice(checkpoint);
  const fail = (message: string, cause?: unknown): never => {
    throw new Error(`Cannot load the data of "${checkpoint.file}": ${message}`, { cause });
  };
  let source;
  try {
    source = findDataset(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return fail(`its dataset "${name}" is none of ${[...datasets.keys()].join(", ")}, and no file or folder`, error);
  }
  const dataset = await source.load({ seed, size, signal });
  const { shape, count } = checkpoint.data;
  if (dataset.shape.join() !== shape.join() || dataset.train.count < count + checkpoint.training.validation) {
    fail(
      `expected "${name}" as it was, ${count + checkpoint.training.validation} training rows of [${shape}], ` +
        `found ${dataset.train.count} of [${dataset.shape}]`,
    );
  }
  return dataset;
}
