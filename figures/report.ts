/**
 * The report of a run, and of several side by side, each as one HTML file that needs nothing else. Pure functions of what they are
 * given: they run no model and write no file.
 *
 * @module
 */

import type { Losses } from "../core/training/events.ts";
import type { Shapes } from "../core/graph/parameters.ts";
import { escapeText, type Figure } from "./figure.ts";
import { htmlFigure, htmlHeading, htmlList, htmlPage, htmlSection, htmlTable, type Table } from "./page.ts";

/** What a report shows. */
export interface Report {
  /** "vae on mnist" */
  readonly title: string;
  /** Under the title: which run, when, on what. */
  readonly subtitle?: string;
  /** What a reader must know of the figures: how pixels were made into data, the effective β. */
  readonly remarks: readonly string[];
  /** Final losses by split, "training", "validation" and "test". */
  readonly losses: Readonly<Record<string, Losses>>;
  /** Every setting. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** The command that made it, and the versions of what it ran on. */
  readonly madeBy?: Readonly<Record<string, unknown>>;
  /** The shapes of the model's parameters. */
  readonly shapes?: Shapes;
  readonly figures: readonly Figure[];
}

/** A setting's value as a reader writes it: 500,500. */
function valueText(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.length ? value.join(", ") : "none";
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

const whole = (value: number) => value.toLocaleString("en-US");

/** A row for each split, a column for each term. */
export function lossTable(losses: Report["losses"], first = "split"): Table {
  const terms = [...new Set(Object.values(losses).flatMap((terms) => Object.keys(terms)))];
  return {
    columns: [first, ...terms],
    rows: Object.entries(losses).map(([name, values]) => [
      name,
      ...terms.map((term) => values[term]?.toFixed(2) ?? ""),
    ]),
  };
}

/** Bytes of a float32. */
const FLOAT = 4;

/**
 * A row for each layer: what it reads and gives of a datum, its weights and bias as numbers and as bytes; at the end the sums. A
 * convolution gives channels of images, and a layer without inputs is a vector that is learned as it is.
 */
export function modelTable(shapes: Shapes): Table {
  const layers = Object.entries(shapes).map(([name, { inputs, outputs, images }]) => ({
    name,
    reads: images ? images.join(" × ") : inputs ? whole(inputs) : "",
    gives: images ? `… × ${outputs}` : whole(outputs),
    weight: inputs ? `${whole(inputs)} × ${whole(outputs)}` : "",
    count: (inputs + 1) * outputs,
  }));
  const total = layers.reduce((sum, { count }) => sum + count, 0);
  return {
    columns: ["layer", "input", "output", "weight", "parameters", "bytes"],
    rows: [
      ...layers.map((
        { name, reads, gives, weight, count },
      ) => [name, reads, gives, weight, whole(count), whole(count * FLOAT)]),
      ["total", "", "", "", whole(total), whole(total * FLOAT)],
    ],
  };
}

function configurationTable(
  configuration: Report["configuration"],
  columns: readonly string[] = ["setting", "value"],
): Table {
  return {
    columns,
    rows: Object.entries(configuration).map(([name, value]) => [name, valueText(value)]),
  };
}

/** The report of one run. */
export function reportPage(
  { title, subtitle, remarks, losses, configuration, madeBy = {}, shapes, figures }: Report,
): string {
  return htmlPage(title, [
    htmlHeading(title, subtitle),
    htmlSection("Final losses", withUnit(htmlTable(lossTable(losses))) + htmlList(remarks)),
    htmlSection("Figures", figures.map((figure) => htmlFigure(figure)).join("\n")),
    htmlSection("Model", shapes ? htmlTable(modelTable(shapes)) : ""),
    htmlSection("Configuration", htmlTable(configurationTable(configuration))),
    htmlSection("Made by", htmlTable(configurationTable(madeBy, ["", ""]))),
  ]);
}

/** The table of losses, and what its numbers are. */
function withUnit(table: string): string {
  return table && `${table}\n<p>Means over data, nats per datum; ELBO = -(NLL + KL).</p>`;
}

/** Reports of several runs side by side. */
export interface Comparison {
  readonly title: string;
  /** Their titles tell them apart. */
  readonly runs: readonly Report[];
  /** Of all runs together, such as their curves. */
  readonly figures: readonly Figure[];
  /** What holds for the page as a whole. */
  readonly remarks?: readonly string[];
}

/** A row for each setting that is not the same in all runs. */
export function differenceTable(runs: readonly Pick<Report, "title" | "configuration">[]): Table {
  const names = [...new Set(runs.flatMap(({ configuration }) => Object.keys(configuration)))];
  const rows = names.map((name) => [name, ...runs.map(({ configuration }) => valueText(configuration[name]))]);
  return {
    columns: ["setting", ...runs.map(({ title }) => title)],
    rows: rows.filter(([, first, ...others]) => others.some((value) => value !== first)),
  };
}

/** Several runs: what they differ in, where they came to, all curves in one plot, and the figures of each beside those of the others. */
export function comparisonPage({ title, runs, figures, remarks = [] }: Comparison): string {
  const splits = [...new Set(runs.flatMap(({ losses }) => Object.keys(losses)))];
  const losses = splits.map((split) => {
    const bySplit = runs.flatMap(({ title, losses }) => split in losses ? [[title, losses[split]] as const] : []);
    return `<h3>${escapeText(split)}</h3>\n${htmlTable(lossTable(Object.fromEntries(bySplit), "run"))}`;
  });
  const parts = [...new Set(runs.flatMap(({ figures }) => figures.map(({ name }) => name)))];
  const beside = parts.map((part) => {
    const own = runs.map(({ title, figures }, i) => {
      const figure = figures.find(({ name }) => name === part);
      return figure ? `<div><h3>${escapeText(title)}</h3>${htmlFigure(figure, `run-${i + 1}-${part}`)}</div>` : "";
    });
    return `<div class="beside">${own.join("\n")}</div>`;
  });
  const differences = htmlTable(differenceTable(runs)) || "<p>None: all settings are equal.</p>";
  return htmlPage(title, [
    htmlHeading(title, runs.map(({ title }) => title).join(", ")),
    htmlList(remarks),
    htmlSection("What differs", differences),
    htmlSection("Final losses", withUnit(losses.join("\n"))),
    htmlSection(
      "Remarks",
      runs.map(({ title, remarks }) => htmlList(remarks.map((line) => `${title}: ${line}`))).join(""),
    ),
    htmlSection("All runs", figures.map((figure) => htmlFigure(figure)).join("\n")),
    htmlSection("Side by side", beside.join("\n")),
  ]);
}
