/**
 * The folder that a training leaves behind: what its files are called and hold, and how they are read again. How they are written is
 * the business of resumable_run.ts.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { DataSummary } from "../core/description.ts";
import type { EndEvent, EpochEvent, Losses } from "../core/training/events.ts";
import {
  type Check,
  either,
  fields,
  finite,
  flag,
  listOf,
  optional,
  parseJson,
  recordOf,
  text,
  whole,
} from "../core/json.ts";
import { type Checkpoint, decodeCheckpoint, rangeCheck } from "../core/training/checkpoint.ts";
import { lossesCheck, parseMetrics } from "../core/training/metrics.ts";
import { LOCK_FILE } from "./folder_lock.ts";
import { readIfThere } from "./read.ts";
import { temporaryNames } from "./write.ts";

/** The files of a run folder. */
export const FILES = {
  config: "config.json",
  metrics: "metrics.jsonl",
  checkpoint: "checkpoint.safetensors",
  best: "best.safetensors",
  samples: "samples.png",
  reconstructions: "reconstructions.png",
  report: "report.html",
} as const;

const leftOver = new Set([LOCK_FILE, ...Object.values(FILES).flatMap(temporaryNames)]);

/** Whether a file is one that a killed training leaves behind and that says nothing: its lock, or what it was writing. */
export function isLeftOver(name: string): boolean {
  return leftOver.has(name);
}

/** Numbers that a run counts: of steps, epochs, scalars. */
const counted = whole(0, 2 ** 32 - 1);

/** What a setting can be. */
const single = either("a number, text, true or false", finite, text, flag);
const setting = either("a number, text, true or false, or a list of them", single, listOf(single));

const rows = whole(0, Number.MAX_SAFE_INTEGER);

/** What a {@linkcode DataSummary} must be. */
const dataCheck: Check = fields({
  rows: fields({ training: rows, validation: rows, test: rows }),
  shape: listOf(whole(1, 2 ** 31 - 1), 3),
  range: rangeCheck,
  classes: optional(counted),
  classNames: optional(listOf(text)),
  columns: optional(listOf(text)),
  standardized: optional(flag),
  covariates: optional(listOf(text)),
  values: optional(listOf(text)),
  labels: optional(text),
  passedOver: optional(listOf(fields({ name: text, why: text }))),
  remarks: optional(listOf(text)),
});

/** What `config.json` may leave out it may leave out; what it says must be of its type. */
const configCheck: Check = fields({
  model: optional(text),
  module: optional(text),
  dataset: optional(text),
  datasetSettings: optional(recordOf(setting)),
  dataSeed: optional(counted),
  tiles: optional(text),
  adapter: optional(text),
  parameters: optional(whole(0, Number.MAX_SAFE_INTEGER)),
  started: optional(text),
  from: optional(text),
  remarks: optional(listOf(text)),
  data: optional(dataCheck),
  commands: optional(listOf(text)),
  versions: optional(recordOf(text)),
  test: optional(fields({ count: counted, losses: lossesCheck })),
  config: optional(recordOf(setting)),
});

/** What was measured on test rows. */
export interface TestResults {
  /** Rows. */
  readonly count: number;
  /** Means over them, nats per datum. */
  readonly losses: Losses;
}

/** The content of `config.json`. It is for people and for reports; what is done with a run follows from the checkpoint alone. */
export interface RunConfig {
  /** The name of the model. */
  readonly model: string;
  /** Where the model came from, if it is not one of elbo's. For the record: nothing loads it from here. */
  readonly module?: string;
  /** The name of the dataset, or the path of files. */
  readonly dataset: string;
  /** Settings of the dataset, if it has any. */
  readonly datasetSettings?: Readonly<Record<string, unknown>>;
  /** What the rows were divided or made by, if by anything. */
  readonly dataSeed?: number;
  /** The tiles that were asked for; `config` has those in use. */
  readonly tiles?: string;
  /** What it was trained on, in words. */
  readonly adapter: string;
  /** Number of trained scalars. */
  readonly parameters: number;
  /** ISO 8601, UTC. */
  readonly started: string;
  /** The run whose weights it began with, if any. */
  readonly from?: string;
  /** What there is to know of the figures: how pixels were made into data, the effective β. */
  readonly remarks: readonly string[];
  /** What was read. */
  readonly data: DataSummary;
  /** The command lines that began it and went on with it, where it was not a program that did. */
  readonly commands?: readonly string[];
  /** Of elbo, its commit in a checkout, Deno, and the driver as the adapter names it. */
  readonly versions?: Readonly<Record<string, string>>;
  /** What the test rows gave after the training. */
  readonly test?: TestResults;
  /** Training and model settings, and the tile choice. */
  readonly config: Readonly<Record<string, unknown>>;
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

/**
 * The events of `metrics.jsonl`. What comes after the last line feed is left out: a kill cut it short.
 *
 * @throws {FileError} If a line is damaged, or something in it is of another type.
 */
export async function readMetrics(folder: string): Promise<(EpochEvent | EndEvent)[]> {
  const file = join(folder, FILES.metrics);
  const bytes = await readIfThere(file);
  if (bytes === undefined) return [];
  return parseMetrics(new TextDecoder().decode(bytes), file);
}

/** A path inside a folder. */
export function join(folder: string, name: string): string {
  return `${folder.replace(/[/\\]+$/, "")}/${name}`;
}

/** A run read back. */
export interface StoredRun {
  /** Where it is. */
  readonly folder: string;
  /** Its checkpoint. */
  readonly checkpoint: Checkpoint;
  /** Undefined where the file is missing. */
  readonly config?: Partial<RunConfig>;
}

/**
 * The run in a folder; undefined where there is no checkpoint.
 *
 * @throws {FileError} If its checkpoint or configuration is damaged.
 */
export async function readRun(folder: string): Promise<StoredRun | undefined> {
  const file = join(folder, FILES.checkpoint);
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const checkpoint = decodeCheckpoint(bytes, file);
  const config = await readConfig(folder);
  return { folder, checkpoint, ...(config ? { config } : {}) };
}

/**
 * The checkpoint of the best epoch, where the last one is another; undefined where it is not, or nothing was validated on.
 *
 * @throws {FileError} If it is damaged.
 */
export async function readBest(
  { folder, checkpoint: { progress, model } }: StoredRun,
): Promise<Checkpoint | undefined> {
  // A kill between two writes may leave the file of an epoch that the checkpoint has improved on.
  if (!progress.best || progress.best.step === progress.step) return undefined;
  const file = join(folder, FILES.best);
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const best = decodeCheckpoint(bytes, file);
  if (best.model === model) return best;
  throw new FileError(file, `expected a model "${model}", as in ${FILES.checkpoint}, found "${best.model}"`);
}

/**
 * The run in a folder.
 *
 * @throws {Error} If there is no checkpoint.
 */
export async function requireRun(folder: string): Promise<StoredRun> {
  const run = await readRun(folder);
  if (run) return run;
  throw new Error(
    `Cannot open the run "${folder}": expected a ${FILES.checkpoint} in it, found none (is it a run folder?)`,
  );
}
