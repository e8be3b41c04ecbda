/**
 * `deno task experiment`: repeats a published experiment, and holds what comes out against what was published.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { compileWorker } from "../core/gpu/second_thread.ts";
import { FolderLock } from "../storage/folder_lock.ts";
import { join } from "../storage/run_folder.ts";
import { plural } from "../core/plural.ts";
import { defaults, type Settings } from "../core/settings.ts";
import type { Experiment, Options } from "../experiments/experiment.ts";
import { experiments } from "../experiments/mod.ts";
import { type ExperimentEvent, type Outcome, planExperiment, runExperiment } from "../experiments/runner.ts";
import { cellText, type Table } from "../experiments/table.ts";
import { type Overview, writeOverview, writeResults } from "../experiments/write.ts";
import { type FlagGroup, type Flags, type Parsed, peekFlag, UsageError, withFirst } from "./cli/flags.ts";
import { nearestOf } from "./cli/nearest.ts";
import { EXPERIMENTS } from "./cli/permissions.ts";
import { duration, warner } from "./cli/progress.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type StatusLine, statusLine } from "./cli/terminal.ts";

interface Asked {
  readonly name: string;
  readonly all: boolean;
  readonly quick: boolean;
  readonly epochs: number;
  readonly seeds: number;
  readonly parallel: number;
  readonly out: string;
  readonly plan: boolean;
  readonly index: number;
}

type Groups = {
  readonly asked: FlagGroup<Asked>;
  readonly own: FlagGroup<Readonly<Record<string, unknown>>>;
};

const settings: Settings<Asked> = {
  name: { type: "string", default: "", help: "which experiment; its flag can be left out" },
  all: { type: "boolean", default: false, help: "every experiment in turn, and at the end a page that links them" },
  quick: { type: "boolean", default: false, help: "a few minutes on two processor cores: fewer epochs and rows" },
  epochs: { type: "integer", default: 0, minimum: 0, maximum: 1e6, help: "epochs of each run; 0 for the published" },
  seeds: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 1000,
    help: "runs of each point, seeds 0, 1, 2, ...; 0 for the experiment's own number, 1 for most",
  },
  parallel: { type: "integer", default: 1, minimum: 1, maximum: 64, help: "runs at a time on the one GPU" },
  out: { type: "string", default: EXPERIMENTS, help: "folder of the experiments' folders" },
  plan: { type: "boolean", default: false, help: "list the runs that are known so far, by number, and train none" },
  index: { type: "integer", default: -1, minimum: -1, help: "train this run of them alone, as one of several workers" },
};

/** The flags of an experiment follow from its name. */
function flags(args: readonly string[]): Flags<Groups> {
  const experiment = experiments.get(peekFlag(withFirst("name", args), "name") ?? "");
  return {
    name: "experiment",
    summary:
      "Repeats a published experiment: trains what it needs, and writes tables with the published figures beside its " +
      "own, figures and a page. Stopped and started again, it goes on where it was.",
    first: "name",
    list: {
      title: "Experiments",
      rows: [...experiments.values()].map(({ name, summary, source }) => [name, `${summary} (${source})`] as const),
    },
    groups: {
      asked: { title: "What to run", settings, placeholders: { name: "NAME", out: "DIR" } },
      own: { title: `Experiment ${experiment?.name ?? ""}`, settings: experiment?.settings ?? {} },
    },
    elsewhere: new Map(
      experiments.values().flatMap(({ name, settings = {} }) =>
        Object.keys(settings).map((key) => [key, `deno task experiment ${name}`] as const)
      ),
    ),
    examples: [
      "deno task experiment optimizers --quick",
      "deno task experiment --all --quick",
      "deno task experiment minimal-architecture --reconstruction 120 --kl 10 --seeds 3 --parallel 3",
    ],
  };
}

async function run({ values, given }: Parsed<Groups>, context: Context): Promise<void> {
  const { name, all, plan, index } = values.asked;
  if (all && (name || plan || index >= 0)) {
    throw new UsageError(
      `--all is of every experiment: expected no ${name ? "name" : plan ? "--plan" : "--index"} beside it`,
    );
  }
  if (all) return await runAll({ values, given }, context);
  if (!name) return list(context);
  const experiment = experiments.get(name);
  if (!experiment) {
    const known = [...experiments.keys()];
    throw new UsageError(`Cannot find an experiment "${name}": ${nearestOf(name, known)}`);
  }
  await runOne(experiment, { values, given }, context);
}

/** Where the results of an experiment go. */
function folderOf({ name }: Experiment, { out, quick }: Pick<Asked, "out" | "quick">): string {
  return join(out, quick ? `${name}-quick` : name);
}

async function runOne(
  experiment: Experiment,
  { values, given }: Pick<Parsed<Groups>, "values" | "given">,
  context: Context,
): Promise<void> {
  const { quick, epochs, seeds, parallel, plan, index } = values.asked;
  const { name } = experiment;
  const extent = quick ? experiment.quick : experiment.full;
  const { quickSettings = {} } = experiment;
  const instead = Object.entries(quick ? quickSettings : {}).filter(([setting]) => !given.has(setting));
  const own = { ...values.own, ...Object.fromEntries(instead) };
  const options: Options = {
    ...extent,
    ...(epochs ? { epochs } : {}),
    quick,
    seeds: seeds || (extent.seeds ?? 1),
    settings: own,
  };
  const folder = folderOf(experiment, values.asked);
  const single = plan || index >= 0;
  // Workers share the folder: each locks the run that it trains.
  using _ = single ? undefined : await FolderLock.take(folder);
  using gpu = await Gpu.open({ compileAhead: compileWorker, onWarning: warner(context) });
  if (single) return await planned(experiment, options, { folder, gpu, index }, context);
  context.print(`${name}: ${experiment.summary}`);
  context.print(`Source: ${experiment.source}; adapter: ${gpu.adapter}; into ${folder}`);
  using show = shower(context);
  const { signal } = context;
  const outcome = await runExperiment(experiment, options, { folder, gpu, parallel, signal, onEvent: show.event })
    .catch((error) => {
      if (signal.aborted) show.stopped(folder);
      throw error;
    });
  show.clear();
  await conclude(experiment, outcome, options, folder, gpu, context);
}

/** Every experiment in turn. One that fails does not keep the others from being run. */
async function runAll({ values, given }: Pick<Parsed<Groups>, "values" | "given">, context: Context): Promise<void> {
  const { print, signal, emit } = context;
  const { out, quick } = values.asked;
  const overview = join(out, quick ? "quick.html" : "index.html");
  const done: Overview[] = [];
  const failed: string[] = [];
  for (const experiment of experiments.values()) {
    signal.throwIfAborted();
    const { name, summary, source } = experiment;
    const begun = performance.now();
    const reason = await runOne(
      experiment,
      { values: { ...values, own: defaults(experiment.settings ?? {}) }, given },
      context,
    )
      .then(() => undefined, (error: Error) => {
        if (signal.aborted) throw error;
        return error.message.split("\n", 1)[0];
      });
    const took = duration((performance.now() - begun) / 1000);
    if (reason) failed.push(name);
    const page = reason ? {} : { page: `${folderOf(experiment, { out: ".", quick })}/index.html` };
    done.push({ name, summary, source, ...page, outcome: reason ?? took });
    print(reason ? `${name} failed: ${reason}` : `${name}: ${took}`);
    print();
    // Also of those that are done while the others are yet to come.
    await writeOverview(overview, quick, done);
  }
  print(`All of them: ${overview}`);
  emit({ event: "end", page: overview, failed });
  if (failed.length) {
    throw new Error(`${plural(failed.length, "experiment")} of ${done.length} failed: ${failed.join(", ")}`);
  }
}

/** Trains one run of an experiment, or lists all that are known. */
async function planned(
  experiment: Experiment,
  options: Options,
  { folder, gpu, index }: { readonly folder: string; readonly gpu: Gpu; readonly index: number },
  context: Context,
): Promise<void> {
  const { signal, print, emit } = context;
  using show = shower(context);
  const found = await planExperiment(
    experiment,
    options,
    { folder, gpu, signal, onEvent: show.event },
    index < 0 ? undefined : index,
  ).catch((error) => {
    if (signal.aborted) show.stopped(folder);
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  });
  show.clear();
  const { runs, complete } = found;
  if (index < 0) {
    for (const { index, point: { id }, seed, folder, done } of runs) {
      print(`${String(index).padStart(5)}  ${id}, seed ${seed}${done ? "  done" : ""}`);
      emit({ index, point: id, seed, run: folder, done });
    }
  }
  const open = runs.filter(({ done }) => !done).length;
  print(
    complete
      ? `All ${runs.length} runs are done: deno task experiment ${experiment.name} writes tables and the page`
      : `${open} of ${runs.length} runs are to be trained; others may follow from them. One by its number: --index N`,
  );
}

function list({ print, emit }: Context): void {
  for (const { name, summary, source } of experiments.values()) {
    print(`${name.padEnd(22)}${summary} (${source})`);
    emit({ name, summary, source });
  }
  print();
  print("Run one by deno task experiment NAME; --quick takes a few minutes.");
}

async function conclude(
  experiment: Experiment,
  outcome: Outcome,
  options: Options,
  folder: string,
  gpu: Gpu,
  { print, emit, signal }: Context,
): Promise<void> {
  const { tables, files } = await writeResults(experiment, outcome, options, { folder, gpu, signal });
  for (const table of tables) {
    print();
    for (const line of textTable(table)) print(line);
    emit({ event: "table", ...table });
  }
  print();
  print(`In ${folder}: ${files.join(", ")}`);
  emit({ event: "end", experiment: experiment.name, folder, files, skipped: outcome.skipped });
}

/** The table in columns of text. */
function textTable({ title, columns, rows, notes = [] }: Table): string[] {
  const texts = [columns, ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, i) => Math.max(...texts.map((row) => row[i].length)));
  const numeric = columns.map((_, i) => rows.every((row) => typeof row[i] !== "string"));
  const lines = texts.map((row) =>
    row.map((text, i) => numeric[i] ? text.padStart(widths[i]) : text.padEnd(widths[i])).join("  ").trimEnd()
  );
  return [title, "", ...lines.map((line) => `  ${line}`), "", ...notes];
}

interface Shower extends Omit<StatusLine, "draw"> {
  event(event: ExperimentEvent): void;
  /** Says how to go on. */
  stopped(folder: string): void;
}

/** Shows the events: on a screen one line drawn again and again, else one line a run. */
function shower({ terminal, json, print, emit }: Context): Shower {
  const { draw, ...line } = statusLine(terminal);
  const { clear } = line;
  return {
    event(event) {
      // Progress within an epoch is for looking at.
      if (json) return event.event === "run" && event.training.event === "progress" ? undefined : emit(event);
      if (event.event === "skipped") {
        clear();
        return print(`Skipped ${event.points.join(", ")}: ${event.reason}`);
      }
      if (event.event === "begun anew") {
        clear();
        return print(`${event.run.replace(/.*\//, "")} was stopped before its first checkpoint: it is begun anew`);
      }
      if (event.event === "under way elsewhere") {
        clear();
        return print(`${event.run.replace(/.*\//, "")} is under way elsewhere: it is left to that worker`);
      }
      const { finished, runs, done, secondsLeft } = event.standing;
      const head = `${finished}/${runs} runs  ${Math.floor(100 * done)}%`;
      const left = secondsLeft === undefined ? "" : `  ${duration(secondsLeft)} left`;
      const name = event.run.replace(/.*\//, "");
      if (event.event === "finished") {
        clear();
        return print(`${head}  ${name} ${event.trained ? "trained" : "was there"}${left}`);
      }
      const { training } = event;
      if (!terminal.interactive || training.event !== "progress") return;
      draw(`${head}  ${name}  epoch ${Math.floor(training.epoch) + 1}  elbo ${training.train.elbo.toFixed(2)}${left}`);
    },
    stopped(folder) {
      clear();
      print(`Stopped. What was trained is in ${folder}: the same command goes on from there.`);
    },
    ...line,
  };
}

/** The task. */
export const experimentTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(experimentTask);
