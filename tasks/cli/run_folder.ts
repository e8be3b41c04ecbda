/**
 * Run folders on the command line: how one is named, found and opened again. What lies in one is the business of storage/run_folder.ts.
 *
 * @module
 */

import { type Dataset, type DatasetSource, slice, type Split } from "../../core/dataset.ts";
import {
  FILES,
  isLeftOver,
  join,
  readBest,
  readConfig,
  readMetrics,
  requireRun,
  type StoredRun,
} from "../../storage/run_folder.ts";
import { fetchModel } from "../../storage/hub.ts";
import { isReference } from "../../storage/hub_address.ts";
import { FileError } from "../../core/bounds.ts";
import { dataLine, describeData } from "../../core/description.ts";
import { settled } from "../../core/values.ts";
import { type Checkpoint, requireFit } from "../../core/training/checkpoint.ts";
import { configureTraining } from "../../core/training/trainer.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import { configure } from "../../core/settings.ts";
import { datasets } from "../../datasets/mod.ts";
import { folderCache } from "../../storage/cache.ts";
import { findDataset } from "../../storage/datasets.ts";
import { UsageError } from "./flags.ts";
import { likeRun } from "./like_run.ts";
import { builtIn, findNamedModel, type NamedModel } from "./model_module.ts";
import { nearestOf } from "./nearest.ts";
import { KEPT, RUNS } from "./permissions.ts";
import { loadingProgress } from "./progress.ts";
import { quoted } from "./quoted.ts";
import type { Context } from "./run.ts";
import type { RunChoice, SplitName } from "./run_flags.ts";
import { stderr } from "./terminal.ts";

export { FILES, join, readConfig, readMetrics } from "../../storage/run_folder.ts";

/** The folder in a run folder with the figures that are not among {@linkcode FILES}. */
export const FIGURES = "figures";

/** A run read back, with its model. */
export interface Run extends NamedModel, StoredRun {}

/**
 * The run in a folder, or the newest of {@linkcode RUNS}. A run never brings code with it: its checkpoint says the name of a model,
 * which is looked for among those given.
 *
 * @param folder "" for the newest.
 * @param among The models that it may be of.
 * @param which The checkpoint: the last, from which a training goes on, or the best where one is kept.
 * @throws {UsageError} If there is no such folder.
 * @throws {Error} If a file is missing or damaged, or the checkpoint is of another model.
 */
export async function openRun(
  folder: string,
  among: readonly NamedModel[] = builtIn,
  which: RunChoice["checkpoint"] = "last",
): Promise<Run> {
  if (isReference(folder)) folder = await fetched(folder);
  folder ||= await newestRun();
  await requireFolder(folder);
  const last = await requireRun(folder);
  const best = which === "best" ? await readBest(last) : undefined;
  const run = best ? { ...last, checkpoint: best } : last;
  const named = modelOf(run.checkpoint, among);
  // A run is opened whole: what a task would stumble over at its end is told at its beginning.
  requireFit(named.model, run.checkpoint);
  await readMetrics(folder);
  return { ...named, ...run };
}

/** The folder of a model on the Hub. */
async function fetched(reference: string): Promise<string> {
  try {
    return await fetchModel(reference);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function requireFolder(folder: string): Promise<void> {
  const info = await Deno.stat(folder).catch(() => undefined);
  if (!info) throw new UsageError(`Cannot open the run "${folder}": there is no such folder`);
  if (!info.isDirectory) throw new UsageError(`Cannot open the run "${folder}": expected a folder, found a file`);
}

/** A run that was killed before its first checkpoint, with what it was begun with. */
export interface BegunRun extends NamedModel {
  readonly folder: string;
  readonly data: DataChoice;
  /** Settings of the training and of the model. */
  readonly told: Readonly<Record<string, unknown>>;
  /** The run whose weights it was to begin with. */
  readonly from?: string;
}

/**
 * The run in a folder that has no checkpoint yet, as `config.json` says it was begun; undefined where there is a checkpoint, or was one.
 *
 * @param among The models that it may be of.
 * @throws {UsageError} If there is no such folder.
 * @throws {Error} If nothing says what it was, `config.json` is damaged, or it is of another model.
 */
export async function openBegun(folder: string, among: readonly NamedModel[] = builtIn): Promise<BegunRun | undefined> {
  await requireFolder(folder);
  if (await Deno.stat(join(folder, FILES.checkpoint)).then(() => true, () => false)) return undefined;
  const file = join(folder, FILES.config);
  const kept = await readConfig(folder);
  if (!kept) {
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    if (!names.every(isLeftOver)) return undefined;
    throw new Error(
      `Cannot resume "${folder}": it was stopped before anything was written to it; begin again with --out ${
        quoted(folder)
      }`,
    );
  }
  // Of epochs that are done there was a checkpoint.
  if ((await readMetrics(folder)).length) return undefined;
  const { model: name, dataset, config, tiles, dataSeed: seed = 0, datasetSettings = {} } = kept;
  if (name === undefined || dataset === undefined || config === undefined) {
    throw new FileError(file, "expected model, dataset and config of a run that is begun anew, found one missing");
  }
  const named = modelOf({ model: name, file }, among);
  const { settings } = named.model;
  const told: Record<string, unknown> = Object.fromEntries(
    Object.entries({ ...config, ...(tiles === undefined ? {} : { tiles }) })
      .filter(([name]) => Object.hasOwn(trainingSettings, name) || Object.hasOwn(settings, name)),
  );
  try {
    configureTraining(named.model, told);
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new FileError(file, cause.message, { cause });
  }
  const data = { name: dataset, seed, settings: datasetSettings };
  return { ...named, folder, data, told, ...(kept.from === undefined ? {} : { from: kept.from }) };
}

function modelOf({ model, file }: Pick<Checkpoint, "model" | "file">, among: readonly NamedModel[]): NamedModel {
  const named = among.find((one) => one.model.name === model);
  if (named) return named;
  const names = among.map((one) => one.model.name);
  throw new Error(
    names.length === 1
      ? `Cannot load "${file}": expected a model "${names[0]}", found "${model}"`
      : `Cannot load "${file}": its model "${model}" is none of ${names.join(", ")}; name its module with --model, ` +
        "as --model ./my_vae.ts: a run folder does not load code by itself",
  );
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
  const all = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const names = all.filter((name) => !isLeftOver(name));
  if (names.length === 0) return;
  const way = names.includes(FILES.checkpoint) || names.includes(FILES.config)
    ? `go on with the run in it by --resume ${quoted(folder)}, or name`
    : "name";
  throw new UsageError(`Cannot write the run to "${folder}": the folder is not empty; ${way} another one`);
}

/**
 * The rows of a split as the run divided them.
 *
 * @throws {UsageError} If the run held none out.
 */
export function splitOf(dataset: Dataset, { data, training }: Checkpoint, split: SplitName): Split {
  if (split === "test") return dataset.test;
  if (split === "train") return slice(dataset.train, 0, data.count);
  if (training.validation === 0) {
    throw new UsageError(
      "Cannot use --split validation: the run was trained with --validation 0; expected test or train",
    );
  }
  return slice(dataset.train, data.count, data.count + training.validation);
}

/** The models that `--model` names. */
export async function namedModels(names: readonly string[]): Promise<NamedModel[]> {
  return await Array.fromAsync(names, findNamedModel);
}

/** The run that was asked for; one that was not named is called by its name. */
export async function chosenRun({ run, model, checkpoint }: RunChoice, { print }: Context): Promise<Run> {
  const opened = await openRun(run, model.length ? await namedModels(model) : builtIn, checkpoint);
  if (!run) print(`Run: ${opened.folder} (the newest in ${RUNS}/)`);
  const { file, progress: { best } } = opened.checkpoint;
  if (file === join(opened.folder, FILES.best) && best) {
    print(
      `Checkpoint: ${FILES.best}, of epoch ${best.epoch}, where the validation loss was lowest (or --checkpoint last)`,
    );
  }
  return opened;
}

/** Which data, and what they are divided or made by. */
export interface DataChoice {
  /** A known name or a path. */
  readonly name: string;
  readonly seed: number;
  /** Of the dataset; those left out take their defaults. */
  readonly settings: object;
}

/** The choice that gives the data of a run again. Checkpoints of older versions keep no settings: those follow from the shape. */
export function dataChoice({ data: { name, seed = 0, shape, settings } }: Checkpoint): DataChoice {
  return { name, seed, settings: settings ?? datasets.get(name)?.settingsFor?.(shape) ?? {} };
}

/**
 * The data of a choice.
 *
 * @throws {TypeError} If the dataset does not say which settings it was loaded with: a run could not load it again.
 */
export async function loadData(
  source: DatasetSource,
  { seed, settings, undivided }: Pick<DataChoice, "seed" | "settings"> & { readonly undivided?: boolean },
  signal: AbortSignal,
): Promise<Dataset> {
  using progress = loadingProgress(stderr());
  const cache = folderCache(join(KEPT, "images"));
  const dataset = settled(
    await source.load({ seed, settings, undivided, signal, cache, onProgress: progress.show }),
  );
  if (source.settings && !dataset.settings) {
    throw new TypeError(
      `Cannot use "${source.name}": expected its load() to give the settings of the dataset, found none`,
    );
  }
  return dataset;
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
    if (!(error instanceof RangeError)) throw error;
    const isName = !/[/\\]|\.\w+$/.test(nameOrPath);
    throw new UsageError(
      isName
        ? `Cannot find a dataset "${nameOrPath}": ${nearestOf(nameOrPath, [...datasets.keys()])}; ` +
          "and there is no file or folder of that name here"
        : error.message,
      { cause: error },
    );
  }
}

/** Says what was read: of a run its rows as it divided them, of other data all of them. */
export function sayData({ print }: Context, dataset: Dataset, run?: Checkpoint): void {
  // New data that nobody divided are just rows.
  const others = dataset.train === dataset.test ? 0 : dataset.train.count;
  const [training, validation] = run ? [run.data.count, run.training.validation] : [others, 0];
  print(dataLine(describeData(dataset, training, validation)));
}

/**
 * The data that a run was trained on.
 *
 * @throws {Error} If they are no longer where they were, or are others now.
 */
export async function datasetOf(run: Run, signal: AbortSignal): Promise<Dataset> {
  const { checkpoint } = run;
  const { name, seed, settings } = dataChoice(checkpoint);
  const fail = (message: string, cause?: unknown): never => {
    throw new Error(`Cannot load the data of "${checkpoint.file}": ${message}`, { cause });
  };
  let source;
  try {
    source = findDataset(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const known = [...datasets.keys()].join(", ");
    return fail(
      `its dataset "${name}" is none of ${known}, and no file or folder; say where it is with --dataset`,
      error,
    );
  }
  try {
    configure<object>(source.settings ?? {}, settings, `the dataset "${name}"`);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    return fail(error.message, error);
  }
  const dataset = await loadData(source, { seed, settings }, signal);
  const { shape, count, digest } = checkpoint.data;
  // Without a digest, which names other data by what is other, their number must do.
  const few = !digest && dataset.train.count < count + checkpoint.training.validation;
  if ((!dataset.columns && dataset.shape.join() !== shape.join()) || few) {
    fail(
      `expected "${name}" as it was, ${count + checkpoint.training.validation} training rows of [${shape}], ` +
        `found ${dataset.train.count} of [${dataset.shape}]`,
    );
  }
  return likeRun(dataset, run);
}
