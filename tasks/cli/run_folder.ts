/**
 * Run folders on the command line: how one is named, found and opened again. What lies in one is the business of core/run_folder.ts.
 *
 * @module
 */

import { type Dataset, type DatasetSource, slice, type Split } from "../../core/dataset.ts";
import { FILES, join, readConfig, type RunConfig } from "../../core/run_folder.ts";
import { type Checkpoint, decodeCheckpoint } from "../../core/trained.ts";
import { datasets, findDataset } from "../../datasets/mod.ts";
import { models } from "../../models/mod.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import { findNamedModel, type NamedModel } from "./model_module.ts";
import type { Context } from "./run.ts";

export { FILES, join, readConfig, readMetrics } from "../../core/run_folder.ts";

/** Where `train` puts its folders, and where the other tasks look for the newest. */
export const RUNS = "runs";

/** The folder in a run folder with the figures that are not among {@linkcode FILES}. */
export const FIGURES = "figures";

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
