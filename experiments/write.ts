/**
 * Writes the results of an experiment: each table as CSV, all tables as Markdown, the figures, the record of its runs, and one HTML
 * page.
 *
 * @module
 */

import { writeFileAtomically } from "../storage/write.ts";
import type { Gpu } from "../core/gpu/device.ts";
import { join } from "../storage/run_folder.ts";
import { bytesOf, type Figure } from "../figures/figure.ts";
import { htmlFigure, htmlHeading, htmlList, htmlPage, htmlSection, htmlTable } from "../figures/page.ts";
import type { Experiment, Options } from "./experiment.ts";
import { recordOf } from "./record.ts";
import { Datasets, openResult, type Outcome } from "./runner.ts";
import { cellText, type Table, toCsv, toMarkdown } from "./table.ts";

/** Where results go, and the GPU that draws their figures. */
export interface WriteOptions {
  readonly folder: string;
  readonly gpu: Gpu;
  readonly signal?: AbortSignal;
}

/**
 * Writes the results of an experiment into its folder.
 *
 * @returns the tables, and the names of the files
 */
export async function writeResults(
  experiment: Experiment,
  outcome: Outcome,
  options: Options,
  { folder, gpu, signal }: WriteOptions,
): Promise<{ tables: readonly Table[]; files: readonly string[] }> {
  const notes = notesOf(experiment, outcome, options);
  const tables = experiment.tables(outcome.results, options);
  const datasets = new Datasets(signal);
  const figures = await experiment.figures?.(outcome.results, {
    options,
    open: (result, run = result.runs[0]) => openResult(result, run, gpu),
    dataset: (name) => datasets.get(name),
  }) ?? [];
  const files: [name: string, bytes: Uint8Array<ArrayBuffer>][] = [
    ["index.html", encode(page(experiment, tables, figures, notes, options))],
    ["results.md", encode(markdown(experiment, tables, notes, options))],
    ["record.jsonl", encode(await recordOf(experiment, outcome, options))],
    ...tables.map((table): [string, Uint8Array<ArrayBuffer>] => [`${table.name}.csv`, encode(toCsv(table))]),
    ...figures.map((figure): [string, Uint8Array<ArrayBuffer>] => [figure.file, bytesOf(figure)]),
  ];
  for (const [name, bytes] of files) await writeFileAtomically(join(folder, name), bytes);
  return { tables, files: files.map(([name]) => name) };
}

/** An experiment in the page that links all. */
export interface Overview extends Pick<Experiment, "name" | "summary" | "source"> {
  /** Its page, if it has one. */
  readonly page?: string;
  /** How long it took, or why it failed. */
  readonly outcome: string;
}

/** Writes the page that links the pages of experiments. */
export async function writeOverview(path: string, quick: boolean, all: readonly Overview[]): Promise<void> {
  const title = quick ? "Experiments: quick runs" : "Experiments";
  const note = quick ? "Smoke runs: they show that each experiment works, not what was published." : "";
  const table = htmlTable({
    columns: ["experiment", "what is compared", "source", "took"],
    rows: all.map(({ name, summary, source, outcome }) => [name, summary, source, outcome]),
    links: all.map(({ page }) => page),
  });
  await writeFileAtomically(path, encode(htmlPage(title, [htmlHeading(title, note), table])));
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Caveats for all numbers: length of the runs, number of seeds, skipped points. */
export function notesOf({ full }: Experiment, { skipped }: Outcome, options: Options): readonly string[] {
  const { epochs, rows, quick, seeds } = options;
  const short = epochs < full.epochs || rows !== undefined;
  const notes = short
    ? [
      `${quick ? "Quick" : "Short"}: ${epochs} of ${full.epochs} epochs` +
      `${rows === undefined ? "" : `, the first ${rows.toLocaleString("en-US")} training rows`}. ` +
      "Published numbers use the full schedule; this short run should not match them.",
    ]
    : [];
  return [
    ...notes,
    seeds === 1
      ? "A single seed, so no spread."
      : `Mean ± standard deviation over ${seeds} seeds. Training values are means over the steps of the last epoch.`,
    ...skipped.map(({ points, reason }) => `Skipped ${points.join(", ")}: ${reason}`),
  ];
}

/** What its page is called. */
function titleOf({ name }: Experiment, { quick }: Options): string {
  return quick ? `${name}: a smoke run` : name;
}

function markdown(
  experiment: Experiment,
  tables: readonly Table[],
  notes: readonly string[],
  options: Options,
): string {
  return [
    `# ${titleOf(experiment, options)}`,
    "",
    `${experiment.summary}. Source: ${experiment.source}.`,
    "",
    ...notes.flatMap((note) => [note, ""]),
    "Expected:",
    "",
    ...experiment.expectations.map((line) => `- ${line}`),
    "",
    ...tables.map(toMarkdown),
  ].join("\n");
}

function page(
  experiment: Experiment,
  tables: readonly Table[],
  figures: readonly Figure[],
  notes: readonly string[],
  options: Options,
): string {
  const title = titleOf(experiment, options);
  return htmlPage(title, [
    htmlHeading(title, `${experiment.summary}. Source: ${experiment.source}.`),
    htmlList(notes),
    htmlSection("Expected", htmlList(experiment.expectations)),
    ...tables.map(({ title, columns, rows, notes = [] }) =>
      htmlSection(title, htmlTable({ columns, rows: rows.map((row) => row.map(cellText)) }) + htmlList(notes))
    ),
    htmlSection("Figures", figures.map((figure) => htmlFigure(figure)).join("\n")),
  ]);
}
