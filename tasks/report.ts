/**
 * `deno task report`: the figures of a run and the page that holds them, or several runs side by side.
 *
 * @module
 */

import { plural } from "../core/plural.ts";
import type { Split } from "../core/dataset.ts";
import type { Model } from "../core/model.ts";
import type { Checkpoint } from "../core/training/checkpoint.ts";
import type { EpochEvent } from "../core/training/events.ts";
import { Gpu } from "../core/gpu/device.ts";
import { Trained } from "../core/training/trained.ts";
import { curves } from "../figures/curves.ts";
import { isImage, samples } from "../figures/images.ts";
import type { FigureChoices } from "../figures/run_figures.ts";
import { comparisonPage, type Report } from "../figures/report.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { COMPARISON } from "./cli/permissions.ts";
import { drawAll, reportOf, writePage, writeReport } from "./cli/pictures.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { builtIn } from "./cli/model_module.ts";
import { defaultFile, formatOf } from "./cli/outputs.ts";
import { chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { labelOf, type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun, FIGURES, FILES, namedModels, openRun, readMetrics } from "./cli/run_folder.ts";

interface Comparing {
  readonly compare: readonly string[];
  readonly out: string;
}

/** What the figures are to show. */
interface Showing {
  readonly dimensions: readonly number[];
  readonly label: string;
  readonly rows: readonly number[];
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly figures: FlagGroup<Showing>;
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
    figures: {
      title: "Figures",
      settings: {
        dimensions: {
          type: "integers",
          default: [],
          minimum: 1,
          help:
            "the two latent dimensions of the plane and of the scatter, 3,7 for z3 and z7 (default: those of the greatest KL, and " +
            "principal components)",
        },
        label: {
          type: "string",
          default: "",
          help:
            "the class, by name or number, that reconstructions and walks show, and that a conditional model is told",
        },
        rows: {
          type: "integers",
          default: [],
          minimum: 0,
          help:
            "the rows that are reconstructed and walked from, by the numbers that `score` and `encode` give them (default: the first)",
        },
      },
      placeholders: { dimensions: "N,N", label: "CLASS" },
    },
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
    "deno task report --dimensions 1,2 --label 7",
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
  const choices = choicesOf(values.figures, rows, checkpoint, model);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const { file, figures, notes } = await writeReport(folder, trained, rows, context, { name: page, choices });
  const where = page === undefined ? `${folder} and ${FIGURES}/ there` : `${page}/`;
  context.print(
    `${file}: open it in a browser; its ${plural(figures.length, "figure")} ${
      plural(figures.length, "is", "are", false)
    } in ${where}`,
  );
  if (!own) {
    context.print(
      `What it shows of data: ${plural(rows.count, "row")} of ${dataset.name}, which the run was not trained on`,
    );
  }
  for (const note of notes) context.print(note);
  context.emit({ run: folder, file, dataset: dataset.name, own, split, figures, notes });
}

/** What was asked for, held against what there is. */
function choicesOf(
  { dimensions, label, rows }: Showing,
  split: Split,
  { config, data }: Checkpoint,
  { latents, name }: Model,
): FigureChoices {
  const count = latents?.(config, data) ?? 0;
  if (dimensions.length && (dimensions.length !== 2 || dimensions.some((dimension) => dimension > count))) {
    const found = dimensions.length === 2 ? dimensions.join() : `${dimensions.length} of them`;
    throw new UsageError(`--dimensions: expected two of the ${count} that ${name} has, as 1,2, found ${found}`);
  }
  if (label && rows.length) throw new UsageError("--label: expected --label or --rows, found both");
  const places = rows.map((row) => {
    const place = split.rowNumbers ? split.rowNumbers.indexOf(row) : row < split.count ? row : -1;
    if (place >= 0) return place;
    throw new UsageError(`--rows: expected rows of the split that is shown, ${split.count} of them, found ${row}`);
  });
  const chosen = label ? labelOf(label, data) : undefined;
  if (chosen !== undefined && split.labels && !split.labels.includes(chosen)) {
    throw new UsageError(`--label: expected a class that rows are of, found none of "${label}"`);
  }
  return {
    ...(dimensions.length ? { dimensions: [dimensions[0] - 1, dimensions[1] - 1] as const } : {}),
    ...(chosen === undefined ? {} : { label: chosen }),
    ...(rows.length ? { rows: places } : {}),
  };
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
