/**
 * `deno task report`: the figures of a run and the page that holds them, or several runs side by side.
 *
 * @module
 */

import type { EpochEvent } from "../core/training/events.ts";
import { Gpu } from "../core/gpu/device.ts";
import { Trained } from "../core/training/trained.ts";
import { curves } from "../figures/curves.ts";
import { isImage, samples } from "../figures/images.ts";
import { comparisonPage, type Report } from "../figures/report.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { COMPARISON } from "./cli/permissions.ts";
import { drawAll, reportOf, writePage, writeReport } from "./cli/pictures.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { builtIn } from "./cli/model_module.ts";
import { defaultFile, formatOf } from "./cli/outputs.ts";
import { chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun, FIGURES, FILES, namedModels, openRun, readMetrics } from "./cli/run_folder.ts";

interface Comparing {
  readonly compare: readonly string[];
  readonly out: string;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly comparing: FlagGroup<Comparing>;
};

const flags: Flags<Groups> = {
  name: "report",
  summary:
    `Draws every figure that applies to a run into its folder, and ${FILES.report} with all of them, the losses and the ` +
    "settings: one file, to be opened in any browser. With --compare, one page that shows several runs side by side.",
  groups: {
    run: runChoice,
    data: dataFlags,
    comparing: {
      title: "Comparing",
      settings: {
        compare: { type: "strings", default: [], help: "two run folders or more" },
        out: {
          type: "string",
          default: "",
          help:
            `the page to write, .html; the figures of one run in a folder beside it (default: ${FILES.report} in the run ` +
            `folder, of other data report-DATA.html, of several runs ${COMPARISON})`,
        },
      },
      placeholders: { compare: "DIR DIR ...", out: "FILE" },
    },
  },
  examples: [
    "deno task report",
    "deno task report --run runs/mine",
    "deno task report --compare runs/a runs/b runs/c --out abc.html",
  ],
};

async function run({ values, given }: Parsed<Groups>, context: Context): Promise<void> {
  const { compare, out } = values.comparing;
  formatOf(out, ["html"]);
  if (given.has("compare")) {
    if (values.run.run) throw new UsageError("Cannot compare: expected --run or --compare, found both");
    return await compareRuns(compare, values.run, out || COMPARISON, context);
  }
  const chosen = await chosenRun(values.run, context);
  const { folder, model, checkpoint } = chosen;
  const data = await chosenRows(chosen, values.data, context);
  const { rows, own, split, dataset } = data;
  const isOwn = !out && own && split === "test";
  const page = isOwn ? undefined : (out || await defaultFile(folder, "report", "html", data)).replace(/\.html$/i, "");
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const { file, figures, notes } = await writeReport(folder, trained, rows, context.signal, page);
  const where = page === undefined ? `${folder} and ${FIGURES}/ there` : `${page}/`;
  context.print(`${file}: open it in a browser; its ${figures.length} figures are in ${where}`);
  if (!own) {
    context.print(`What it shows of data are ${rows.count} rows of ${dataset.name}, which the run was not trained on`);
  }
  for (const note of notes) context.print(note);
  context.emit({ run: folder, file, dataset: dataset.name, own, split, figures, notes });
}

async function compareRuns(
  folders: readonly string[],
  values: RunChoice,
  file: string,
  context: Context,
): Promise<void> {
  if (folders.length < 2) {
    throw new UsageError(`Cannot compare: expected at least two run folders after --compare, found ${folders.length}`);
  }
  const names = namesOf(folders);
  const runs: Report[] = [];
  const notes = new Set<string>();
  const courses: { name: string; epochs: EpochEvent[] }[] = [];
  const among = [...await namedModels(values.model), ...builtIn];
  using gpu = await Gpu.open();
  for (const [i, folder] of folders.entries()) {
    const run = await openRun(folder, among, values.checkpoint);
    using trained = await Trained.fromCheckpoint(run.model, run.checkpoint, { gpu });
    const images = run.model.decode && run.model.latents && isImage(trained.data.shape);
    const drawn = await drawAll(images ? [() => samples(trained)] : [], context.signal);
    const epochs = (await readMetrics(folder)).filter((event) => event.event === "epoch");
    if (epochs.length) courses.push({ name: names[i], epochs });
    else notes.add(`${names[i]} has no curves: ${FILES.metrics} holds no epoch`);
    runs.push({ ...await reportOf(folder, trained, drawn.figures), title: names[i] });
  }
  const together = await drawAll(courses.length ? [() => curves(courses)] : [], context.signal);
  for (const note of together.notes) notes.add(note);
  const title = `${folders.length} runs`;
  await writePage(file, comparisonPage({ title, runs, figures: together.figures, remarks: [...notes] }));
  context.print(`${file}: ${names.join(", ")}; open it in a browser`);
  for (const note of notes) context.print(note);
  context.emit({ runs: folders, file, notes: [...notes] });
}

/** The last part of each path where that tells the folders apart, else the paths. */
function namesOf(folders: readonly string[]): readonly string[] {
  const trimmed = folders.map((folder) => folder.replace(/[/\\]+$/, ""));
  if (new Set(trimmed).size < trimmed.length) {
    throw new UsageError(`Cannot compare: expected different run folders, found ${trimmed.join(", ")}`);
  }
  const short = trimmed.map((folder) => folder.replace(/.*[/\\]/, ""));
  return new Set(short).size === short.length ? short : trimmed;
}

/** The task. */
export const reportTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(reportTask);
