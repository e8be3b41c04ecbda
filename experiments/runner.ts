/**
 * Trains what an experiment needs and gathers its results. What is complete is left as it is, and what was stopped goes on from its
 * checkpoint. It prints nothing.
 *
 * @module
 */

import { type Dataset, type DatasetSource, slice } from "../core/dataset.ts";
import { FileError } from "../core/bounds.ts";
import { readIfThere } from "../storage/read.ts";
import type { Gpu } from "../core/gpu/device.ts";
import { either, fields, finite, listOf, parseJson, recordOf } from "../core/json.ts";
import { requireNoLink, writeText } from "../storage/write.ts";
import type { TrainingEvent } from "../core/training/events.ts";
import { completed, epochsOf, isComplete, RunRecorder, stepsOf } from "../storage/resumable_run.ts";
import { FolderLock } from "../storage/folder_lock.ts";
import { FILES, join, readConfig, readRun, requireRun } from "../storage/run_folder.ts";
import { begunWith, firstChange } from "../core/training/changes.ts";
import type { Checkpoint } from "../core/training/checkpoint.ts";
import { Trained } from "../core/training/trained.ts";
import { configureTraining, train } from "../core/training/trainer.ts";
import { completedEpochs } from "../core/training/training_settings.ts";
import { findDataset } from "../storage/datasets.ts";
import type { Experiment, Measures, Options, Point, PointResult, RunResult } from "./experiment.ts";

/** How {@linkcode runExperiment} runs. */
export interface RunnerOptions {
  /** The folder for run folders: made where there is none. */
  readonly folder: string;
  readonly gpu: Gpu;
  /** Runs at a time. Default: 1. */
  readonly parallel?: number;
  readonly signal?: AbortSignal;
  /** Sees what happens. */
  readonly onEvent?: (event: ExperimentEvent) => void;
}

/** Where the whole experiment stands. */
export interface Standing {
  /** Runs that are complete, and runs in all as far as is known. */
  readonly finished: number;
  readonly runs: number;
  /** From 0 to 1: the part of all work that is done. */
  readonly done: number;
  /** An estimate, once there is something to estimate from. */
  readonly secondsLeft?: number;
}

/** What {@linkcode RunnerOptions.onEvent} is given. */
export type ExperimentEvent =
  /** A run went on: its own event, and where the experiment stands. */
  | { readonly event: "run"; readonly run: string; readonly training: TrainingEvent; readonly standing: Standing }
  /** A run is complete; `trained` says whether anything had to be trained now. */
  | { readonly event: "finished"; readonly run: string; readonly trained: boolean; readonly standing: Standing }
  /** A run was killed before its first checkpoint, and is begun anew; or another worker trains it. */
  | { readonly event: "begun anew"; readonly run: string }
  | { readonly event: "under way elsewhere"; readonly run: string }
  /** Points were left out. */
  | { readonly event: "skipped" } & Skipped;

/** Points that were left out for one reason. */
export interface Skipped {
  readonly points: readonly string[];
  readonly reason: string;
}

/** What an experiment came to. */
export interface Outcome {
  readonly results: readonly PointResult[];
  readonly skipped: readonly Skipped[];
}

/** The file that keeps what {@linkcode Experiment.measure} gave. */
const MEASURES = "measures.json";

/** One run to be made. */
interface Job {
  readonly point: Point;
  readonly seed: number;
  readonly folder: string;
  readonly dataset: Dataset;
  readonly config: Readonly<Record<string, unknown>>;
  /** What it costs: rows seen times parameters, about. */
  readonly work: number;
}

/**
 * Runs an experiment to its end.
 *
 * @throws {DOMException} "AbortError" when its signal stopped it; every run under way has then written its checkpoint.
 * @throws {Error} If a run folder holds a run of other settings.
 */
export async function runExperiment(
  experiment: Experiment,
  options: Options,
  { folder, gpu, parallel = 1, signal, onEvent = () => {} }: RunnerOptions,
): Promise<Outcome> {
  const datasets = new Datasets(signal);
  const skipped: Skipped[] = [];
  const results: PointResult[] = [];
  const standings = new Standings(experiment.most?.(options) ?? 0, options.seeds);
  const plan = experiment.plan(options);
  for (let next = plan.next(); !next.done;) {
    const { jobs, left } = await jobsOfAll(next.value, options, folder, datasets);
    for (const one of left) onEvent({ event: "skipped", ...one });
    skipped.push(...left);
    standings.add(jobs);
    const runs = await inParallel(jobs, parallel, (job) => {
      signal?.throwIfAborted();
      return runOne(experiment, options, job, { gpu, signal, standings, onEvent });
    });
    const found = byPoint(jobs, runs);
    results.push(...found);
    next = plan.next(found);
  }
  return { results, skipped };
}

/** A run of an experiment, by its number. */
export interface PlannedRun {
  readonly index: number;
  readonly point: Point;
  readonly seed: number;
  readonly folder: string;
  readonly done: boolean;
}

/** The runs of an experiment as far as they are known: others may follow from those that are not done. */
export interface PlannedRuns {
  readonly runs: readonly PlannedRun[];
  /** Whether all are known and done. */
  readonly complete: boolean;
}

/**
 * The runs that an experiment has, in the order of its plan; and one of them is trained, if that is asked for.
 *
 * @param index The number of the one that is trained.
 * @throws {RangeError} If there is none of that number, so far.
 */
export async function planExperiment(
  experiment: Experiment,
  options: Options,
  { folder, gpu, signal, onEvent = () => {} }: RunnerOptions,
  index?: number,
): Promise<PlannedRuns> {
  const datasets = new Datasets(signal);
  const runs: PlannedRun[] = [];
  const standings = new Standings(0, options.seeds);
  const plan = experiment.plan(options);
  for (let next = plan.next(); !next.done;) {
    const { jobs, left } = await jobsOfAll(next.value, options, folder, datasets);
    for (const one of left) onEvent({ event: "skipped", ...one });
    standings.add(jobs);
    const wanted = jobs[(index ?? -1) - runs.length];
    if (wanted && await FolderLock.isTaken(wanted.folder)) {
      onEvent({ event: "under way elsewhere", run: wanted.folder });
    } else if (wanted) await runOne(experiment, options, wanted, { gpu, signal, standings, onEvent });
    for (const job of jobs) {
      const { point, seed } = job;
      runs.push({ index: runs.length, point, seed, folder: job.folder, done: await isDone(job) });
    }
    if (runs.some(({ done }) => !done)) {
      if (index !== undefined && index >= runs.length) throw unknownRun(index, runs.length, "so far");
      return { runs, complete: false };
    }
    // What follows depends on what these came to.
    const results: RunResult[] = [];
    for (const job of jobs) {
      results.push(await runOne(experiment, options, job, { gpu, signal, standings, onEvent() {} }));
    }
    next = plan.next(byPoint(jobs, results));
  }
  if (index !== undefined && index >= runs.length) throw unknownRun(index, runs.length, "in all");
  return { runs, complete: true };
}

function unknownRun(index: number, count: number, known: string): RangeError {
  return new RangeError(`Cannot find run ${index}: expected 0 to ${count - 1}, the runs that are known ${known}`);
}

async function isDone({ point, folder, config }: Job): Promise<boolean> {
  const found = await readRun(folder);
  if (!found) return false;
  const { checkpoint } = found;
  return isComplete(checkpoint, epochsOf(point.model, checkpoint, Number(config.epochs)));
}

/** The runs of points, and the points that are left out. */
async function jobsOfAll(
  points: readonly Point[],
  options: Options,
  folder: string,
  datasets: Datasets,
): Promise<{ readonly jobs: readonly Job[]; readonly left: readonly Skipped[] }> {
  const jobs: Job[] = [];
  const reasons = new Map<string, string[]>();
  for (const point of points) {
    try {
      jobs.push(...await jobsOf(point, options, folder, datasets));
    } catch (error) {
      if (!point.optional || datasets.signal?.aborted) throw error;
      const { message } = error as Error;
      reasons.set(message, [...reasons.get(message) ?? [], point.id]);
    }
  }
  return { jobs, left: [...reasons].map(([reason, points]): Skipped => ({ points, reason })) };
}

/** The results of runs, by their points. */
function byPoint(jobs: readonly Job[], runs: readonly RunResult[]): PointResult[] {
  return [...Map.groupBy(jobs.map(({ point }, i) => ({ point, run: runs[i] })), ({ point }) => point)]
    .map(([point, all]) => ({ point, runs: all.map(({ run }) => run) }));
}

/** Datasets, each loaded once. */
export class Datasets {
  readonly #loaded = new Map<string | DatasetSource, Promise<Dataset>>();
  constructor(readonly signal?: AbortSignal) {}

  /** The dataset of a name or source; `rows` cuts its training rows. */
  async get(nameOrSource: string | DatasetSource, rows?: number): Promise<Dataset> {
    let loaded = this.#loaded.get(nameOrSource);
    if (!loaded) {
      const source = typeof nameOrSource === "string" ? findDataset(nameOrSource) : nameOrSource;
      this.#loaded.set(nameOrSource, loaded = source.load({ signal: this.signal }));
    }
    const dataset = await loaded;
    if (rows === undefined || rows >= dataset.train.count) return dataset;
    return { ...dataset, train: slice(dataset.train, 0, rows) };
  }
}

/** The trained model of a run. */
export async function openResult({ point }: PointResult, { folder }: RunResult, gpu: Gpu): Promise<Trained> {
  const { checkpoint } = await requireRun(folder);
  return await Trained.fromCheckpoint(point.model, checkpoint, { gpu });
}

/** The runs of a point, one a seed. */
async function jobsOf(point: Point, options: Options, folder: string, datasets: Datasets): Promise<Job[]> {
  const rows = Math.min(point.rows ?? Infinity, options.rows ?? Infinity);
  const dataset = await datasets.get(point.dataset, rows);
  const { validation, ...rest } = point.config;
  const epochs = Number(rest.epochs ?? options.epochs);
  // Where rows are few, no more of them are held out than the trainer would by itself.
  const held = Math.min(Number(validation ?? 0), rows === Infinity ? Infinity : Math.floor(dataset.train.count / 6));
  return Array.from({ length: options.seeds }, (_, seed) => {
    const told = { ...rest, validation: held, epochs, seed };
    const { config: ofModel } = configureTraining(point.model, told);
    // An experiment decides on the likelihood, not the data.
    const { likelihood } = ofModel as { readonly likelihood?: string };
    const config = { ...likelihood ? { likelihood } : {}, ...told };
    const parameters = parameterCount(point.model.parameters(ofModel, dataset));
    return {
      point,
      seed,
      folder: join(folder, `${point.id}-seed-${seed}`),
      dataset,
      config,
      work: epochs * (dataset.train.count - held) * (parameters + 50_000),
    };
  });
}

function parameterCount(shapes: ReturnType<Point["model"]["parameters"]>): number {
  return Object.values(shapes).reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);
}

/** What a job works with. */
interface Surroundings {
  readonly gpu: Gpu;
  readonly signal?: AbortSignal;
  readonly standings: Standings;
  readonly onEvent: (event: ExperimentEvent) => void;
}

async function runOne(
  experiment: Experiment,
  options: Options,
  job: Job,
  { gpu, signal, standings, onEvent }: Surroundings,
): Promise<RunResult> {
  const { point, seed, folder, dataset, config } = job;
  const epochs = Number(config.epochs);
  await requireNoLink(folder);
  // Before it is read: nobody else goes on with it from now on.
  using lock = await FolderLock.take(folder);
  const found = await readRun(folder);
  const resume = found?.checkpoint;
  if (resume) requireSame(resume, job);
  const complete = resume !== undefined && isComplete(resume, epochsOf(point.model, resume, epochs));
  if (!complete) {
    // A training writes its configuration first.
    if (!found && await readConfig(folder)) onEvent({ event: "begun anew", run: folder });
    const training = train(point.model, dataset, resume ? { epochs } : config, { gpu, signal, resume });
    const recorder = await RunRecorder.claim(folder, training, { resumed: found, module: point.module, lock });
    try {
      for await (const happened of training) {
        const { trained } = training;
        const measures = happened.event === "epoch"
          ? await experiment.measureEpoch?.({ point, trained, dataset, options }, happened.epoch)
          : undefined;
        const event = measures ? { ...happened, measures } : happened;
        await recorder.record(event);
        onEvent({ event: "run", run: folder, training: event, standing: standings.at(job, event) });
      }
    } finally {
      if (recorder.saved) training.trained.destroy();
    }
    signal?.throwIfAborted();
  }
  const run = await requireRun(folder);
  const { epochs: trained, end } = await completed(run);
  if (!end) {
    throw new Error(`Cannot read the figures of the run "${folder}": expected ${FILES.metrics} to end as it did`);
  }
  const measures = await measuresOf(experiment, options, job, run.checkpoint, gpu, signal);
  const parameters = run.config?.parameters ?? 0;
  onEvent({ event: "finished", run: folder, trained: !complete, standing: standings.finish(job, !complete) });
  return { folder, seed, parameters, epochs: trained, end, measures };
}

async function measuresOf(
  experiment: Experiment,
  options: Options,
  { point, folder, dataset }: Job,
  checkpoint: Checkpoint,
  gpu: Gpu,
  signal?: AbortSignal,
): Promise<Measures> {
  if (!experiment.measure) return {};
  const file = join(folder, MEASURES);
  // Of a run that was trained on since, they are measured again.
  const kept = await readMeasures(file);
  if (kept?.step === checkpoint.progress.step) return kept.measures;
  const trained = await Trained.fromCheckpoint(point.model, checkpoint, { gpu });
  try {
    const measures = await experiment.measure({ point, trained, dataset, options, signal });
    await writeText(file, JSON.stringify({ step: checkpoint.progress.step, measures }, undefined, 2) + "\n");
    return measures;
  } finally {
    trained.destroy();
  }
}

/** What {@linkcode measuresOf} has written, or undefined where there is nothing. */
async function readMeasures(file: string): Promise<{ step: number; measures: Measures } | undefined> {
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const kept = parseJson(bytes, file);
  const wrong = fields({
    step: finite,
    measures: recordOf(either("a number or a list of numbers", finite, listOf(finite))),
  })(kept, "what was measured");
  if (wrong) throw new FileError(file, wrong);
  return kept as { step: number; measures: Measures };
}

/** A run of other settings is neither complete nor to be gone on with. */
function requireSame(found: Checkpoint, { point, folder, dataset, config }: Job): void {
  const { epochs, ...asked } = config;
  const fail = (expected: string, found: unknown) => {
    throw new Error(
      `Cannot use the run "${folder}": expected ${expected}, found ${found}; name another folder with --out`,
    );
  };
  if (found.model !== point.model.name) fail(`model ${point.model.name}`, found.model);
  const rows = dataset.train.count - Number(config.validation);
  const change = firstChange(begunWith(point.model, found), { ...asked, dataset: dataset.name, rows });
  if (change) fail(`${change.name} ${change.now}`, change.was);
  if (found.progress.step > stepsOf(found, Number(epochs))) {
    fail(`at most ${epochs} epochs`, completedEpochs(found.progress.step, found));
  }
}

/** Does at most so many things at a time; the first failure ends it, after what is under way. */
async function inParallel<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    while (next < items.length && !failure) {
      const i = next++;
      try {
        results[i] = await work(items[i]);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, most) }, worker));
  if (failure) throw failure.error;
  return results;
}

/** How far all runs have come, and how long the rest will take. */
class Standings {
  readonly #began = performance.now();
  readonly #jobs = new Map<Job, number>();
  #finished = 0;
  /** Work done by this process. */
  #own = 0;

  constructor(readonly most: number, readonly seeds: number) {}

  add(jobs: readonly Job[]): void {
    for (const job of jobs) this.#jobs.set(job, 0);
  }

  /** After a training's event. */
  at(job: Job, event: TrainingEvent): Standing {
    const { event: kind } = event;
    const fraction = kind === "progress"
      ? event.step / event.steps
      : kind === "start"
      ? event.step / (event.stepsPerEpoch * event.epochs)
      : this.#jobs.get(job)!;
    this.#move(job, Math.min(1, fraction), kind !== "start");
    return this.#standing();
  }

  finish(job: Job, trained: boolean): Standing {
    this.#finished++;
    this.#move(job, 1, trained);
    return this.#standing();
  }

  #move(job: Job, fraction: number, own: boolean): void {
    if (own) this.#own += (fraction - this.#jobs.get(job)!) * job.work;
    this.#jobs.set(job, fraction);
  }

  #standing(): Standing {
    let [total, done] = [0, 0];
    for (const [{ work }, fraction] of this.#jobs) {
      total += work;
      done += work * fraction;
    }
    // Runs that a plan has not come to yet cost about as much as those that it has.
    const runs = Math.max(this.#jobs.size, this.most * this.seeds);
    total *= runs / this.#jobs.size;
    const seconds = (performance.now() - this.#began) / 1000;
    const left = this.#own > 0 ? { secondsLeft: seconds * (total - done) / this.#own } : {};
    return { finished: this.#finished, runs, done: done / total, ...left };
  }
}
