/**
 * What came out of a sweep: a table of all trainings, as CSV and Parquet, and a page of the best, of what each setting does, and of the
 * spread over seeds.
 *
 * @module
 */

import { spreadOf } from "../core/spread.ts";
import { linePlot, type Series } from "../figures/charts.ts";
import type { Figure } from "../figures/figure.ts";
import { htmlFigure, htmlHeading, htmlList, htmlPage, htmlSection, htmlTable } from "../figures/page.ts";
import { type Axis, marginals, parallelCoordinates } from "../figures/parallel.ts";
import { isFile } from "../storage/read.ts";
import { FILES, join } from "../storage/run_folder.ts";
import { type Field, type Table, writeTable } from "../storage/table_file.ts";
import { writeText } from "../storage/write.ts";
import { ranked, type StoredSweep, type TrialState } from "./folder.ts";
import type { PointSettings, Sweep } from "./plan.ts";

/** Settings that are not the same in all points, in the order of the plan. */
export function varying({ points }: Pick<Sweep, "points">): readonly string[] {
  const names = [...new Set(points.flatMap((point) => Object.keys(point)))];
  return names.filter((name) => new Set(points.map((point) => JSON.stringify(point[name]))).size > 1);
}

function cellOf(settings: PointSettings, name: string): number | string | undefined {
  const value = settings[name];
  if (value === undefined || typeof value === "number") return value;
  return Array.isArray(value) ? value.join() : String(value);
}

/** A column: of numbers where all that is known is one. */
function fieldOf(name: string, values: readonly (number | string | undefined)[]): Field {
  const numeric = values.every((value) => value === undefined || typeof value === "number");
  return {
    name,
    values: numeric
      ? Float64Array.from(values, (value) => value === undefined ? NaN : Number(value))
      : values.map((value) => value === undefined ? "" : String(value)),
  };
}

/** A row for each training: its settings, what became of it, and the losses of its best epoch. */
export function tableOf(sweep: StoredSweep, states: readonly TrialState[]): Table {
  const losses = (part: "train" | "validation") => {
    const names = new Set(states.flatMap(({ best }) => Object.keys(best?.[part] ?? {})));
    return [...names].map((name) => fieldOf(`${part}.${name}`, states.map(({ best }) => best?.[part]?.[name])));
  };
  const of = (name: string, value: (state: TrialState) => number | string | undefined) =>
    fieldOf(name, states.map(value));
  const fields = [
    of("index", ({ trial }) => trial.index),
    of("point", ({ trial }) => trial.point),
    of("seed", ({ trial }) => trial.seed),
    ...varying(sweep).filter((name) => name !== "seed").map((name) => of(name, (s) => cellOf(s.trial.settings, name))),
    of("state", ({ state }) => state),
    of(sweep.objective === "state" ? "objective" : `best ${sweep.objective}`, ({ value }) => value),
    of("best epoch", ({ best }) => best?.epoch),
    of("epochs", ({ epochs }) => epochs.at(-1)?.epoch),
    of("parameters", ({ parameters }) => parameters),
    of("seconds", ({ epochs }) => epochs.at(-1)?.seconds),
    of("samples per second", ({ epochs }) => epochs.at(-1)?.samplesPerSecond),
    ...losses("train"),
    ...losses("validation"),
    of("run", ({ trial }) => trial.folder),
    of("reason", ({ reason }) => reason ?? ""),
  ];
  return { count: states.length, fields };
}

/** Points whose curves are drawn, and that the page lists. */
const CURVES = 8;
const LISTED = 20;

/**
 * Writes results.csv, results.parquet and index.html into the sweep's folder.
 *
 * @returns The names of the files.
 */
export async function writeCollection(sweep: StoredSweep, states: readonly TrialState[]): Promise<string[]> {
  const table = tableOf(sweep, states);
  const files = [];
  for (const extension of ["csv", "parquet"] as const) {
    const name = `results.${extension}`;
    await writeTable(join(sweep.folder, name), table, extension);
    files.push(name);
  }
  await writeText(join(sweep.folder, "index.html"), await pageOf(sweep, states));
  return [...files, "index.html"];
}

async function pageOf(sweep: StoredSweep, states: readonly TrialState[]): Promise<string> {
  const { objective, goal, seeds, points } = sweep;
  const names = varying(sweep);
  const best = ranked(sweep, states);
  const shown = states.filter(({ value }) => value !== undefined);
  const axes = names.map((name): Axis => ({ name, values: shown.map(({ trial }) => cellOf(trial.settings, name)) }));
  const results = { name: objective, values: shown.map(({ value }) => value!) };
  const figures: Figure[] = [];
  if (axes.length && shown.length) {
    figures.push(
      await parallelCoordinates({
        ...{ axes, results, name: "parallel", title: "All trainings" },
        caption: `A line for each training, through its settings to the ${objective} of its best epoch.`,
      }),
      await marginals({
        ...{ axes, results, name: "marginals", title: `${objective} by each setting` },
        caption: "A mark for each training; the other settings differ among them.",
      }),
    );
  }
  const series = best.slice(0, CURVES).flatMap(({ point, states }) => seriesOf(objective, point, states));
  if (series.length) {
    figures.push(
      await linePlot({
        ...{ series, name: "curves", x: "epoch", y: objective, title: "The best points" },
        caption: `${objective} over epochs${
          seeds > 1 ? ": the mean over seeds, and the range from the least to the most" : ""
        }.`,
      }),
    );
  }
  const failed = states.filter(({ state }) => state === "failed");
  const counts = Map.groupBy(states, ({ state }) => state);
  const rows = best.filter(({ mean }) => mean !== undefined).slice(0, LISTED).map(({ point, states, values, mean }) => [
    String(point),
    ...names.map((name) => String(cellOf(states[0].trial.settings, name) ?? "")),
    `${mean!.toFixed(2)}${values.length > 1 ? ` ± ${spreadOf(values)!.deviation!.toFixed(2)}` : ""}`,
    String(states[0].parameters ?? ""),
  ]);
  const runs = best.slice(0, LISTED).flatMap(({ states }) => states.map(({ trial }) => trial));
  const reports = await Promise.all(runs.map(({ folder }) => isFile(join(folder, FILES.report))));
  const links = runs.filter((_, i) => reports[i]).map(({ folder, index }) =>
    `<a href="trials/${folder.replace(/.*\//, "")}/${FILES.report}">${index}</a>`
  );
  const title = sweep.folder.replace(/[/\\]+$/, "").replace(/.*[/\\]/, "");
  return htmlPage(title, [
    htmlHeading(
      title,
      `${points.length} points${seeds > 1 ? `, ${seeds} seeds each` : ""}: ${goal} ${objective}. ` +
        [...counts].map(([state, { length }]) => `${length} ${state}`).join(", ") + ".",
    ),
    htmlSection(
      "The best",
      htmlTable({ columns: ["point", ...names, objective, "parameters"], rows }) +
        (seeds > 1 ? "<p>Mean and standard deviation over seeds.</p>" : "") +
        (links.length ? `<p>Reports of the trainings ${links.join(", ")}.</p>` : ""),
    ),
    htmlSection("What the settings do", figures.map((figure) => htmlFigure(figure)).join("\n")),
    htmlSection(
      "Failed",
      htmlList(failed.map(({ trial, reason }) => `${trial.index}: ${reason}`)),
    ),
  ]);
}

/** The curve of a point: of its only training, or the mean of several with the range between. */
function seriesOf(objective: string, point: number, states: readonly TrialState[]): Series[] {
  const [part, name] = objective.split(".") as ["train" | "validation", string];
  const own = states.map(({ epochs }) => epochs.map((event) => event[part]?.[name] ?? NaN)).filter((y) => y.length > 0);
  const count = Math.min(...own.map(({ length }) => length));
  if (!own.length || !count) return [];
  const at = (i: number) => own.map((values) => values[i]);
  const x = Array.from({ length: count }, (_, i) => states[0].epochs[i].epoch);
  const y = x.map((_, i) => at(i).reduce((sum, value) => sum + value) / own.length);
  const band = own.length > 1
    ? { lower: x.map((_, i) => Math.min(...at(i))), upper: x.map((_, i) => Math.max(...at(i))) }
    : {};
  return [{ name: `point ${point}`, x, y, ...band }];
}
