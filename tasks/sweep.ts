/**
 * `deno task sweep`: trains the points of a plan, all of them or one by its number, and gathers what came out. A cluster's scheduler, or
 * several workers on one machine, divide the numbers among them.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { parseJson } from "../core/json.ts";
import { plural } from "../core/plural.ts";
import type { Settings } from "../core/settings.ts";
import { configureTraining } from "../core/training/trainer.ts";
import { FolderLock } from "../storage/folder_lock.ts";
import { FILES, join } from "../storage/run_folder.ts";
import { requireNoLink } from "../storage/write.ts";
import {
  clearFailure,
  createSweep,
  ranked,
  readFailure,
  readSweep,
  stateOf,
  statesOf,
  type StoredSweep,
  SWEEP_FILE,
  type Trial,
  trialAt,
  trialCount,
  trialsOf,
  type TrialState,
  writeFailure,
} from "../sweeps/folder.ts";
import { isVaried, type PointSettings, requirePlan, sweepOf, type SweepPlan, type Value } from "../sweeps/plan.ts";
import { varying, writeCollection } from "../sweeps/collect.ts";
import { type FlagGroup, flagName, type Flags, type Parsed, parseFlags, UsageError } from "./cli/flags.ts";
import { findNamedModel } from "./cli/model_module.ts";
import { SWEEPS } from "./cli/permissions.ts";
import { duration } from "./cli/progress.ts";
import { quoted } from "./cli/quoted.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { nowhere, statusLine } from "./cli/terminal.ts";
import { trainTask } from "./train.ts";

interface Asked {
  readonly plan: string;
  readonly out: string;
  readonly index: number;
  readonly rung: number;
  readonly parallel: number;
  readonly worker: number;
  readonly budget: number;
  readonly factor: number;
  readonly status: boolean;
  readonly collect: boolean;
}

type Groups = { readonly sweep: FlagGroup<Asked> };

const settings: Settings<Asked> = {
  plan: {
    type: "string",
    default: "",
    help: "the plan, .json or a module .ts, where the sweep begins; its flag can be left out",
  },
  out: { type: "string", default: "", help: `the sweep's folder (default ${SWEEPS}/ and the name of the plan)` },
  index: { type: "integer", default: -1, minimum: -1, help: "train this one alone, from 0; -1 for all" },
  rung: { type: "integer", default: 0, minimum: 0, help: "of successive halving, the rung that --index counts in" },
  parallel: { type: "integer", default: 1, minimum: 1, maximum: 64, help: "workers on this machine" },
  worker: { type: "integer", default: 0, minimum: 0, help: "which of them this is: set by --parallel" },
  budget: {
    type: "integer",
    default: 0,
    minimum: 0,
    help: "successive halving: epochs that every point is trained for at first; 0 as the plan says",
  },
  factor: {
    type: "number",
    default: 3,
    minimum: 1,
    exclusiveMinimum: true,
    help: "of successive halving: the best 1 / factor go on, for factor times the epochs",
  },
  status: { type: "boolean", default: false, help: "say what is done, running, waiting and failed, and why" },
  collect: { type: "boolean", default: false, help: "write results.csv, results.parquet and a page of what came out" },
};

const flags: Flags<Groups> = {
  name: "sweep",
  summary:
    "Trains a model at many settings: a grid, random points or a Sobol sequence, each with any number of seeds. Every " +
    "training has a number and a run folder, is resumed where it was stopped, and is trained once, however many workers there are.",
  first: "plan",
  groups: {
    sweep: { title: "Sweep", settings, placeholders: { plan: "PLAN", out: "DIR", budget: "EPOCHS" } },
  },
  examples: [
    "deno task sweep plan.json --out runs/sweeps/widths",
    "deno task sweep --out runs/sweeps/widths --parallel 2",
    "deno task sweep --out runs/sweeps/widths --index 17",
    "deno task sweep --out runs/sweeps/widths --collect",
  ],
};

async function run({ values: { sweep: asked } }: Parsed<Groups>, context: Context): Promise<void> {
  const sweep = await opened(asked, context);
  if (asked.status || asked.collect) {
    if (asked.status) await showStatus(sweep, context);
    if (asked.collect) await collect(sweep, context);
    return;
  }
  if (asked.index >= 0) return await trainOne(sweep, asked, context);
  await trainAll(sweep, asked, context);
}

/** The sweep in the folder; with a plan, it is begun there. */
async function opened({ plan: file, out, budget, factor, worker }: Asked, context: Context): Promise<StoredSweep> {
  if (!file) {
    if (!out) throw new UsageError("Cannot sweep: expected a plan, or the folder of a sweep with --out");
    const found = await readSweep(out);
    if (found && !budget) return found;
    throw new UsageError(
      found
        ? "--budget goes with the plan, where the sweep begins"
        : `Cannot open the sweep "${out}": there is no ${SWEEP_FILE} in it; begin it with a plan`,
    );
  }
  const written = await readPlan(file);
  const plan = budget ? { ...written, halving: { epochs: budget, factor } } : written;
  const sweep = await sweepOf(await located(plan), isInteger).catch(asUsage);
  for (const [i, point] of sweep.points.entries()) await requireTrainable(point, i);
  const folder = out || join(SWEEPS, file.replace(/.*[/\\]/, "").replace(/\.[^.]+$/, ""));
  const stored = await createSweep(folder, plan, sweep);
  if (worker <= 1) {
    const { points, seeds, objective, goal, rungs } = sweep;
    const rounds = rungs?.map(({ epochs, points }) => `${points} for ${plural(epochs, "epoch")}`).join(", then ");
    context.print(
      `${plural(points.length, "point")} ${seeds > 1 ? `with ${seeds} seeds each ` : ""}into ${folder}; ` +
        `${rounds ? `${rounds}; ` : ""}${goal} ${objective}`,
    );
  }
  return stored;
}

function asUsage(error: unknown): never {
  if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
  throw error;
}

/** A plan from a file that the command line names. */
async function readPlan(file: string): Promise<SweepPlan> {
  const info = await Deno.stat(file).catch(() => undefined);
  if (!info?.isFile) throw new UsageError(`Cannot read the plan "${file}": there is no such file`);
  let plan: unknown;
  if (/\.[cm]?[jt]s$/.test(file)) {
    const found = await import(pathToFileURL(await Deno.realPath(file)).href).catch((cause) => {
      throw new Error(`Cannot load the plan "${file}": ${cause instanceof Error ? cause.message : cause}`, { cause });
    });
    plan = typeof found.default === "function" ? await found.default() : found.default;
  } else plan = parseJson(await Deno.readFile(file), file);
  try {
    requirePlan(plan);
  } catch (error) {
    asUsage(error);
  }
  return plan;
}

/** The same plan from wherever a worker is started: paths of data and modules are made whole. */
async function located(plan: SweepPlan): Promise<SweepPlan> {
  const whole = async (value: Value): Promise<Value> => {
    if (typeof value !== "string" || !/[/\\]|\.\w+$/.test(value)) return value;
    return await Deno.realPath(value).catch(() => value);
  };
  const paths = ["dataset", "model", "from"];
  const settings = await Promise.all(
    Object.entries(plan.settings).map(async ([name, given]) => {
      if (!paths.includes(name)) return [name, given] as const;
      if (isVaried(given) && "values" in given) {
        return [name, { ...given, values: await Promise.all(given.values.map(whole)) }] as const;
      }
      return [name, typeof given === "string" ? await whole(given) : given] as const;
    }),
  );
  return { ...plan, settings: Object.fromEntries(settings) };
}

/** Settings as the command line of `train` has them. */
function argumentsOf(settings: PointSettings): string[] {
  return Object.entries(settings).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join() || "none" : String(value);
    return `${flagName(name)}=${text}`;
  });
}

/** The flags of `train`, which depend on the model, the dataset and the run that a command line names. */
async function trainFlags(args: readonly string[]) {
  return typeof trainTask.flags === "function" ? await trainTask.flags(args) : trainTask.flags;
}

/** The same for settings. */
async function flagsFor({ model, dataset }: PointSettings) {
  return await trainFlags(
    argumentsOf({ ...model === undefined ? {} : { model }, ...dataset === undefined ? {} : { dataset } }),
  );
}

async function isInteger(name: string, settings: PointSettings): Promise<boolean> {
  const { groups } = await flagsFor(settings);
  const found = Object.values(groups).map(({ settings }) => (settings as Settings<Record<string, unknown>>)[name]);
  return found.some((setting) => setting?.type === "integer");
}

/** Settings that `train` would refuse are refused before anything is trained. */
async function requireTrainable(point: PointSettings, i: number): Promise<void> {
  for (const name of ["out", "resume"]) {
    if (name in point) throw new UsageError(`Cannot sweep over ${name}: a sweep has folders of its own`);
  }
  try {
    const { values, given } = parseFlags(await flagsFor(point), argumentsOf(point));
    const told = { ...values.training, ...values.model as object };
    const { model } = await findNamedModel(values.run.model);
    configureTraining(model, Object.fromEntries(Object.entries(told).filter(([name]) => given.has(name))));
  } catch (error) {
    if (error instanceof UsageError || error instanceof RangeError || error instanceof TypeError) {
      throw new UsageError(`Point ${i} (${described(point)}): ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function described(settings: PointSettings, names: readonly string[] = Object.keys(settings)): string {
  return names.filter((name) => name in settings).map((name) => `${name} ${settings[name]}`).join(", ");
}

/** One training by its number, as the job of an array is. */
async function trainOne(sweep: StoredSweep, { index, rung }: Asked, context: Context): Promise<void> {
  const trial = await trialAt(sweep, index, rung).catch(asUsage);
  const { objective } = sweep;
  const state = await trainTrial(sweep, trial, context, true);
  if (!state) return context.print(`Training ${trial.index} is under way elsewhere: nothing to do`);
  context.emit(lineOf(state));
  if (state.state === "failed") throw new Error(`Training ${trial.index} failed: ${state.reason}`);
  if (state.state === "done") {
    context.print(`Training ${trial.index} is done: ${objective} ${numberText(state.value)}; in ${trial.folder}`);
  }
}

/**
 * Trains, unless it is done.
 *
 * @param aloud Whether what the training says is shown too.
 * @returns What became of it, and whether it was trained here; undefined where another worker has it.
 */
async function trainTrial(
  sweep: StoredSweep,
  trial: Trial,
  context: Context,
  aloud = false,
): Promise<(TrialState & { readonly here?: boolean }) | undefined> {
  const { record, folder, settings } = trial;
  using lock = await FolderLock.take(record).catch(async (error) => {
    if (await FolderLock.isTaken(record)) return undefined;
    throw error;
  });
  if (!lock) return undefined;
  // Another worker may have done it between.
  const before = await stateOf(sweep, trial);
  if (before.state === "done") return before;
  await clearFailure(record);
  const begun = await Deno.stat(join(folder, FILES.config)).then(() => true, () => false);
  // Pages of hundreds of trainings would take longer than they: those of the best are drawn by `report`.
  const { model, epochs, report = false } = settings;
  const args = begun
    ? argumentsOf({
      ...{ resume: folder, report },
      ...model === undefined ? {} : { model },
      ...epochs === undefined ? {} : { epochs },
    })
    : argumentsOf({ ...settings, report, out: folder });
  using log = await openLog(join(record, "log.txt"));
  const inner: Context = {
    signal: context.signal,
    // A line that is drawn again and again is for a terminal.
    terminal: aloud && !context.json ? context.terminal : nowhere,
    json: false,
    command: ["deno task train", ...args.map(quoted)].join(" "),
    print(line = "") {
      log.line(line);
      if (aloud) context.print(line);
    },
    emit() {},
  };
  log.line(`$ ${inner.command}`);
  try {
    await Deno.mkdir(join(sweep.folder, "trials"), { recursive: true });
    await trainTask.run(parseFlags(await trainFlags(args), args), inner);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
    log.line(`Error: ${reason}`);
    await writeFailure(record, reason);
  }
  lock[Symbol.dispose]();
  context.signal.throwIfAborted();
  return { ...await stateOf(sweep, trial), here: true };
}

interface Log extends Disposable {
  line(text: string): void;
}

async function openLog(path: string): Promise<Log> {
  await requireNoLink(path);
  const file = await Deno.open(path, { append: true, create: true });
  return {
    line: (text) => void file.writeSync(new TextEncoder().encode(`${text}\n`)),
    [Symbol.dispose]: () => file.close(),
  };
}

/** Milliseconds between two looks at what other workers have done. */
const LOOK = 2000;

/** Every training that is not done, rung by rung; what other workers have in hand is left to them. */
async function trainAll(sweep: StoredSweep, { parallel, worker }: Asked, context: Context): Promise<void> {
  const { rungs, folder } = sweep;
  const started = new Date().toISOString();
  const names = varying(sweep);
  using status = statusLine(context.terminal);
  for (let rung = 0; rung < (rungs?.length ?? 1); rung++) {
    const trials = await trialsOf(sweep, rung);
    const finished = new Set<number>();
    for (;;) {
      let running = 0;
      for (const trial of trials) {
        if (finished.has(trial.index)) continue;
        context.signal.throwIfAborted();
        const failure = await readFailure(trial.record);
        // Another worker, or this one, has just tried.
        const tried = failure !== undefined && failure.at >= started;
        const before = tried ? await stateOf(sweep, trial) : undefined;
        const begun = performance.now();
        if (context.terminal.interactive && !context.json) {
          status.draw(`${finished.size}/${trials.length}  ${described(trial.settings, names)}`);
        }
        const state = before ?? await trainTrial(sweep, trial, context);
        status.clear();
        if (!state) {
          running++;
          continue;
        }
        finished.add(trial.index);
        const seconds = "here" in state ? (performance.now() - begun) / 1000 : undefined;
        context.emit(lineOf(state));
        context.print(trialLine(sweep, state, names, { place: `${finished.size}/${trials.length}`, seconds }));
      }
      // The next rung follows from all of this one; and the first of several workers has the last word.
      const waits = running > 0 && (rung + 1 < (rungs?.length ?? 1) || (parallel > 1 && worker <= 1));
      if (!waits) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }
  if (worker > 1) return;
  const states = await statesOf(sweep);
  const failed = states.filter(({ state }) => state === "failed");
  const running = states.filter(({ state }) => state === "running");
  context.print();
  if (running.length) context.print(`${plural(running.length, "training")} under way elsewhere`);
  sayBest(sweep, states, context);
  context.print(`For the table and the page: deno task sweep --out ${quoted(folder)} --collect`);
  if (failed.length) {
    throw new Error(
      `${plural(failed.length, "training")} of ${states.length} failed, the first with: ${failed[0].reason}; ` +
        "the same command tries those alone again",
    );
  }
}

function trialLine(
  sweep: StoredSweep,
  { trial, state, value, reason, epochs }: TrialState,
  names: readonly string[],
  { place, seconds }: { readonly place: string; readonly seconds?: number },
): string {
  const seed = sweep.seeds > 1 ? `, seed ${trial.seed}` : "";
  const name = `${place}  ${trial.index}  ${described(trial.settings, names)}${seed}`;
  if (state === "failed") return `${name}  failed: ${reason}`;
  const took = seconds === undefined ? "was there" : duration(seconds);
  return `${name}  ${sweep.objective} ${numberText(value)} after ${plural(epochs.length, "epoch")}  ${took}`;
}

function numberText(value: number | undefined): string {
  return value === undefined ? "none" : value.toFixed(2);
}

function lineOf({ trial, state, reason, best, value, parameters }: TrialState) {
  const { index, point, seed, settings, folder } = trial;
  return { event: "trial", index, point, seed, state, settings, value, reason, parameters, run: folder, best };
}

function sayBest(sweep: StoredSweep, states: readonly TrialState[], { print }: Context): void {
  const [best] = ranked(sweep, states);
  if (best?.mean === undefined) return;
  const { settings, folder } = best.states[0].trial;
  const names = varying(sweep);
  print(
    `Best: point ${best.point} (${described(settings, names)}), ${sweep.objective} ${numberText(best.mean)}` +
      `${best.values.length > 1 ? `, mean of ${best.values.length}` : ""}; ${folder}`,
  );
}

async function showStatus(sweep: StoredSweep, context: Context): Promise<void> {
  const states = await statesOf(sweep);
  for (const state of states) context.emit(lineOf(state));
  const rungs = sweep.rungs ?? [];
  for (const [i, rung] of rungs.entries()) {
    const trials = await trialsOf(sweep, i).catch(() => undefined);
    const done = trials
      ? (await Promise.all(trials.map((trial) => stateOf(sweep, trial)))).filter(({ state }) => state === "done").length
      : undefined;
    const count = trialCount(sweep, i);
    context.print(
      `Rung ${i}, ${plural(rung.epochs, "epoch")}: ${done === undefined ? "not yet" : `${done} of ${count} done`}`,
    );
  }
  const counts = (["done", "running", "stopped", "failed", "waiting"] as const).map((kind) =>
    [kind, states.filter(({ state }) => state === kind).length] as const
  ).filter(([, count]) => count > 0);
  context.print(
    `${plural(states.length, "training")}: ${counts.map(([kind, count]) => `${count} ${kind}`).join(", ")}`,
  );
  const names = varying(sweep);
  for (const { trial, state, reason, epochs } of states) {
    if (state === "done" || state === "waiting") continue;
    const said = state === "failed" ? reason : `after ${plural(epochs.length, "epoch")}`;
    context.print(`  ${state.padEnd(8)}${trial.index}  ${described(trial.settings, names)}: ${said}`);
  }
  sayBest(sweep, states, context);
}

async function collect(sweep: StoredSweep, context: Context): Promise<void> {
  const files = await writeCollection(sweep, await statesOf(sweep));
  context.print(`In ${sweep.folder}: ${files.join(", ")}`);
  context.emit({ event: "end", folder: sweep.folder, files });
}

/** The task. */
export const sweepTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(sweepTask);
