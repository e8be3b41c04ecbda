/**
 * Tables of results as data, and as CSV and Markdown.
 *
 * @module
 */

import type { Spread } from "../core/spread.ts";

/** What stands in a cell: text, a published number as it was printed, a measured one, or nothing. */
export type Cell = string | number | Spread | undefined;

/** A table. */
export interface Table {
  /** The beginning of its files' names. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly string[];
  /** A cell for every column. */
  readonly rows: readonly (readonly Cell[])[];
  /** What a reader must know of the numbers, one sentence each. */
  readonly notes?: readonly string[];
}

/** A number with two digits after the point, or with three that count where it is small. */
function digits(value: number): string {
  const text = Math.abs(value) < 0.1 ? value.toPrecision(3) : value.toFixed(2);
  return Number(text) === 0 ? "0" : text;
}

/** A cell for reading: `-82.92 ± 0.11`. */
export function cellText(cell: Cell): string {
  if (cell === undefined) return "";
  if (typeof cell !== "object") return String(cell);
  return cell.deviation === undefined ? digits(cell.mean) : `${digits(cell.mean)} ± ${digits(cell.deviation)}`;
}

/** A table of GitHub's Markdown with its title and notes. */
export function toMarkdown({ title, columns, rows, notes = [] }: Table): string {
  const escape = (text: string) => text.replaceAll("|", "\\|");
  const line = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  return [
    `## ${title}`,
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(row.map(cellText))),
    "",
    ...notes.flatMap((note) => [note, ""]),
  ].join("\n");
}

/** CSV (RFC 4180). A column of measured numbers becomes three: mean, standard deviation, number of runs. */
export function toCsv({ columns, rows }: Table): string {
  const measured = columns.map((_, i) => rows.some((row) => typeof row[i] === "object"));
  const quote = (value: string | number | undefined) => {
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const head = columns.flatMap((name, i) => measured[i] ? [name, `${name} (sd)`, `${name} (runs)`] : [name]);
  const body = rows.map((row) =>
    columns.flatMap((_, i) => {
      const cell = row[i];
      if (!measured[i]) return [cell as string | number | undefined];
      return typeof cell === "object" ? [cell.mean, cell.deviation, cell.count] : [cell, undefined, undefined];
    })
  );
  return [head, ...body].map((cells) => cells.map(quote).join(",") + "\r\n").join("");
}
