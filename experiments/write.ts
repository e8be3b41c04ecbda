/**
 * The files of an experiment's results: each table as CSV, all of them as Markdown, the figures, and a page with everything.
 *
 * @module
 */

import { writeFileAtomically } from "../storage/write.ts";
import type { Gpu } from "../core/gpu/device.ts";
import { join } from "../storage/run_folder.ts";
import { bytesOf, type Figure } from "../figures/figure.ts";
import { htmlFigure, htmlHeading, htmlList, htmlPage, htmlSection, htmlTable } from "../figures/page.ts";
import type { Experiment, Options } from "./experiment.ts";
import { Datasets, openResult, type Outcome } from "./runner.ts";
import { cellText, type Table, toCsv, toMarkdown } from "./table.ts";

/** Where results are written, and what their figures are drawn with. */
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
    ["index.html", encode(page(experiment, tables, figures, notes))],
    ["results.md", encode(markdown(experiment, tables, notes))],
    ...tables.map((table): [string, Uint8Array<ArrayBuffer>] => [`${table.name}.csv`, encode(toCsv(table))]),
    ...figures.map((figure): [string, Uint8Array<ArrayBuffer>] => [figure.file, bytesOf(figure)]),
  ];
  for (const [name, bytes] of files) await writeFileAtomically(join(folder, name), bytes);
  return { tables, files: files.map(([name]) => name) };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** What a reader must know of all numbers: how far the runs went, over how many seeds, and what is missing. */
export function notesOf({ full }: Experiment, { skipped }: Outcome, options: Options): readonly string[] {
  const { epochs, rows, quick, seeds } = options;
  const short = epochs < full.epochs || rows !== undefined;
  const notes = short
    ? [
      `${quick ? "Quick" : "Short"}: ${epochs} of ${full.epochs} epochs` +
      `${rows === undefined ? "" : `, the first ${rows.toLocaleString("en-US")} training rows`}. ` +
      "Published figures are of the whole training: so short a one should not reach them.",
    ]
    : [];
  return [
    ...notes,
    seeds === 1
      ? "One seed: no spread is known."
      : `Mean ± standard deviation over ${seeds} seeds; training figures are means over the last epoch's steps.`,
    ...skipped.map(({ points, reason }) => `Left out ${points.join(", ")}: ${reason}`),
  ];
}

function markdown(experiment: Experiment, tables: readonly Table[], notes: readonly string[]): string {
  return [
    `# ${experiment.name}`,
    "",
    `${experiment.summary}. Published by: ${experiment.source}.`,
    "",
    ...notes.flatMap((note) => [note, ""]),
    "What to expect:",
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
): string {
  return htmlPage(experiment.name, [
    htmlHeading(experiment.name, `${experiment.summary}. Published by: ${experiment.source}.`),
    htmlList(notes),
    htmlSection("What to expect", htmlList(experiment.expectations)),
    ...tables.map(({ title, columns, rows, notes = [] }) =>
      htmlSection(title, htmlTable({ columns, rows: rows.map((row) => row.map(cellText)) }) + htmlList(notes))
    ),
    htmlSection("Figures", figures.map((figure) => htmlFigure(figure)).join("\n")),
  ]);
}
