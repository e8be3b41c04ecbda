/**
 * Columns of any kind to rows: which of them are values, which one holds the classes, what is missing, and what can be no number.
 * This file knows no format; it takes cells one after the other.
 *
 * @module
 */

import type { Reading } from "../core/dataset.ts";
import { excerpt, FileError, requireMemory } from "../core/bounds.ts";
import type { Settings } from "../core/settings.ts";
import { areNumbers, orderOf } from "./classes.ts";
import type { Rows } from "./rows.ts";

/** What becomes of missing cells. */
export const MISSING = ["error", "mean", "drop"] as const;

/** What a table can be told. */
export interface TableConfig {
  readonly labelColumn: string;
  readonly columns: readonly string[];
  readonly dropColumn: readonly string[];
  readonly missing: typeof MISSING[number];
}

/** The settings of a table. */
export const tableSettings: Settings<TableConfig> = {
  labelColumn: {
    type: "string",
    default: "",
    help:
      "the column with the classes, by its name or number from 1; none: no column (default label, class, target, ...)",
  },
  columns: {
    type: "strings",
    default: [],
    help: "the columns whose numbers are the data, by name or number from 1 (default all that are left)",
  },
  dropColumn: { type: "strings", default: [], help: "columns to leave out, by name or number from 1" },
  missing: {
    type: "choice",
    default: "error",
    choices: MISSING,
    help: "empty cells, NA, ? and nan: mean fills in the column's mean, drop leaves these rows out",
  },
};

/** What stands for a number that is not there. */
const ABSENT = /^([+-]?nan|n\/?a|#n\/a|null|none|nil|missing|\?|-|\.|)$/i;

/** Whether a cell stands for a number that is not there. */
export const isMissing = (cell: string): boolean => ABSENT.test(cell);

const TRUTH: Readonly<Record<string, number>> = { true: 1, false: 0 };

/** The number in a cell; NaN where there is none. */
export function numberOf(cell: string): number {
  if (cell === "") return NaN;
  const value = Number(cell);
  return Number.isNaN(value) ? TRUTH[cell.toLowerCase()] ?? NaN : value;
}

const DATE =
  /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( \d.*)?|\d{1,2}:\d{2}(:\d{2})?)$/;
const COMMA = /^[+-]?\d*(\.\d{3})*,\d+(e[+-]?\d+)?$/i;

/** Whether a cell is a number that has a comma where a point is expected. */
export const hasComma = (cell: string): boolean => COMMA.test(cell);

/** What a cell is that should be a number, for messages. */
function wrongness(cell: string): string {
  if (DATE.test(cell)) return "dates";
  if (hasComma(cell)) return "decimal commas";
  const value = numberOf(cell);
  if (Number.isNaN(value)) return "text";
  return Number.isFinite(value) ? "numbers beyond float32" : "infinite numbers";
}

/** What is wrong in a column: how often, and where first. */
interface Wrong {
  readonly what: string;
  readonly cell: string;
  readonly where: number;
  count: number;
}

/** What a column is. */
export const [VALUE, LABEL, COVARIATE, LEFT_OUT, ROW_NAME] = [0, 1, 2, 3, 4];

/** What columns are called that say which datum a row is, and are no number of it. */
const ROW_NAMES = /^(id|ids|uuid|guid|row_?id|sample_?id|name|file|file_?name)$/i;

/** What the names of columns begin with that hold covariates. */
const KNOWN = /^c_/i;

/** What every column is. */
export interface Plan {
  readonly kinds: Uint8Array;
  /** -1 where there is none. */
  readonly label: number;
  /** Whether the label's column was named by the user, or is called `label`: what it holds are classes then. */
  readonly certain: boolean;
}

/**
 * Decides what every column is.
 *
 * @param names Their names; without them columns are meant by their numbers.
 * @param width How many there are.
 * @throws {RangeError} If a setting names a column that is not there, or leaves none.
 */
export function planOf(
  file: string,
  names: readonly string[] | undefined,
  width: number,
  config: TableConfig,
  guessed = -1,
): Plan {
  const column = (flag: string, name: string): number => {
    const exact = names?.indexOf(name) ?? -1;
    const place = exact >= 0 ? exact : names?.findIndex((each) => each.toLowerCase() === name.toLowerCase()) ?? -1;
    if (place >= 0) return place;
    const number = /^\d+$/.test(name) ? Number(name) : 0;
    if (number >= 1 && number <= width) return number - 1;
    const listed = names ? `${names.slice(0, 20).join(", ")}${names.length > 20 ? ", ..." : ""}` : "no names";
    throw new RangeError(
      `Cannot read "${file}" with ${flag} ${
        excerpt(name)
      }: expected a column (${listed}) or a number from 1 to ${width}`,
    );
  };
  const { labelColumn } = config;
  const none = labelColumn.toLowerCase() === "none" && !names?.includes(labelColumn);
  const label = none ? -1 : labelColumn ? column("--label-column", labelColumn) : guessed;
  const dropped = new Set(config.dropColumn.map((name) => column("--drop-column", name)));
  const chosen = config.columns.length && new Set(config.columns.map((name) => column("--columns", name)));
  const wanted = (i: number) => i === label || (chosen && chosen.has(i));
  const rowName = names?.findIndex((name, i) => ROW_NAMES.test(name.trim()) && !wanted(i)) ?? -1;
  const kinds = Uint8Array.from({ length: width }, (_, i) => {
    if (i === rowName) return ROW_NAME;
    if (dropped.has(i)) return LEFT_OUT;
    if (i === label) return LABEL;
    if (chosen) return chosen.has(i) ? VALUE : names && KNOWN.test(names[i]) ? COVARIATE : LEFT_OUT;
    return names && KNOWN.test(names[i]) ? COVARIATE : VALUE;
  });
  if (!kinds.includes(VALUE)) {
    throw new FileError(file, "expected rows of numbers, found no column of values");
  }
  const found = kinds.indexOf(LABEL);
  const certain = labelColumn !== "" || names?.[found]?.toLowerCase() === "label";
  return { kinds, label: found, certain };
}

/** Classes that a column of integers may have, where nobody said that it holds any. */
const FEW = 20;

/**
 * Whether different texts of a column, whose name says that it holds classes, are such: names, or few integers.
 *
 * @param rows How many rows there are.
 */
export function areClasses(texts: ReadonlySet<string>, rows: number): boolean {
  if (texts.size > 256) return false;
  const numbers = [...texts].map(numberOf);
  if (numbers.every(Number.isNaN)) return true;
  return numbers.every(Number.isInteger) && texts.size <= Math.max(FEW, rows / 5);
}

/** What a table is made from. */
export interface TableOptions {
  readonly file: string;
  /** Names of all columns, where they have any. */
  readonly names?: readonly string[];
  /** Rows that there will be. */
  readonly rows: number;
  /** Cells that there may be: what a file declares is allocated no further. */
  readonly mostCells: number;
  readonly plan: Plan;
  readonly missing: TableConfig["missing"];
  /** What a row is called in messages: `line`, or `row` counted from 0. */
  readonly unit: "line" | "row";
}

/** Fills up with the cells of one row after the other. */
export class Table {
  readonly #options: TableOptions;
  /** Places of the values' and the covariates' columns. */
  readonly #valueColumns: readonly number[];
  readonly #covariateColumns: readonly number[];
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #covariates: Float32Array<ArrayBuffer>;
  /** Which of #classes a row has. */
  readonly #labels: Uint8Array<ArrayBuffer>;
  readonly #classes = new Map<string, number>();
  /** What the rows are called. */
  readonly #rowNames: string[] = [];
  readonly #wrong = new Map<number, Wrong>();
  /** Missing cells of each value's column, and where the first was. */
  readonly #absent: Uint32Array;
  readonly #firstAbsent: Uint32Array;
  #count = 0;
  #at = 0;
  #known = 0;

  constructor(options: TableOptions) {
    this.#options = options;
    const { plan: { kinds, label }, rows, mostCells, file } = options;
    const columns = (kind: number) => [...kinds.keys()].filter((i) => kinds[i] === kind);
    [this.#valueColumns, this.#covariateColumns] = [columns(VALUE), columns(COVARIATE)];
    const [values, covariates] = [this.#valueColumns, this.#covariateColumns].map(({ length }) =>
      Math.min(rows * length, mostCells)
    );
    requireMemory(4 * (values + covariates), file, "numbers");
    this.#values = new Float32Array(values);
    this.#covariates = new Float32Array(covariates);
    this.#labels = new Uint8Array(label >= 0 ? Math.min(rows, mostCells) : 0);
    this.#absent = new Uint32Array(kinds.length);
    this.#firstAbsent = new Uint32Array(kinds.length);
  }

  /** Takes the next cell of the row, as text. */
  text(column: number, cell: string, where: number): void {
    const kind = this.#options.plan.kinds[column];
    if (kind === LEFT_OUT) return;
    if (kind === ROW_NAME) return void this.#rowNames.push(cell);
    if (kind === LABEL) return this.#label(column, cell, where);
    const value = Math.fround(numberOf(cell));
    if (Number.isFinite(value)) return this.#put(kind, value);
    if (!isMissing(cell)) this.#refuse(column, cell, where);
    else if (kind === COVARIATE) this.#refuse(column, cell, where, "missing cells");
    else this.#miss(column, where);
    this.#put(kind, NaN);
  }

  /** Takes the next cell of the row, a number; NaN is a missing one. */
  number(column: number, cell: number, where: number): void {
    const kind = this.#options.plan.kinds[column];
    if (kind === LABEL || kind === LEFT_OUT || kind === ROW_NAME || !Number.isFinite(Math.fround(cell))) {
      return this.text(column, Number.isNaN(cell) ? "" : String(cell), where);
    }
    this.#put(kind, Math.fround(cell));
  }

  /** Ends a row. */
  endRow(): void {
    this.#count++;
  }

  #put(kind: number, value: number): void {
    if (kind === COVARIATE) this.#covariates[this.#known++] = value;
    else this.#values[this.#at++] = value;
  }

  #miss(column: number, where: number): void {
    if (this.#absent[column]++ === 0) this.#firstAbsent[column] = where;
  }

  #refuse(column: number, cell: string, where: number, what = wrongness(cell)): void {
    const known = this.#wrong.get(column);
    if (known) known.count++;
    else this.#wrong.set(column, { what, cell, where, count: 1 });
  }

  #label(column: number, cell: string, where: number): void {
    if (cell === "") this.#refuse(column, cell, where, "rows without a label");
    let place = this.#classes.get(cell);
    if (place === undefined) {
      place = this.#classes.size;
      if (place === 256) {
        throw this.#error(
          `expected at most 256 different values of ${
            JSON.stringify(this.#nameOf(column))
          }, found more; if they are no classes: ` +
            "--label-column none, or another column",
        );
      }
      this.#classes.set(cell, place);
    }
    this.#labels[this.#count] = place;
  }

  /**
   * The rows. Where missing cells are to be filled in, they are NaN, and {@linkcode Rows.missing} says which.
   *
   * @throws {FileError} If cells are no numbers, or are missing and nobody said what becomes of them; the message names their columns.
   */
  rows(): Rows {
    const { file, names, plan, missing } = this.#options;
    const count = this.#count;
    if (count === 0) throw this.#error("expected rows of numbers, found none");
    const empty = this.#valueColumns.filter((column) => this.#absent[column] === count);
    for (const column of empty) this.#absent[column] = 0;
    if (empty.length === this.#valueColumns.length) {
      throw this.#error("expected rows of numbers, found empty cells only");
    }
    this.#requireNumbers();
    const kept = this.#valueColumns.filter((column) => !empty.includes(column));
    const columns = names && kept.map((column) => this.#nameOf(column));
    const passedOver: { name: string; why: string }[] = [
      ...this.#named(LEFT_OUT).map((name) => ({ name, why: "left out" })),
      ...this.#named(ROW_NAME).map((name) => ({ name, why: "it names the rows" })),
      ...empty.map((column) => ({ name: this.#nameOf(column), why: "empty" })),
    ];
    const labels = plan.label >= 0 ? this.#classesOf() : undefined;
    const rows: Rows = {
      ...{ shape: [1, kept.length, 1], count },
      values: empty.length ? this.#without(empty) : this.#values,
      ...(this.#covariateColumns.length
        ? { covariates: this.#covariates, names: this.#covariateColumns.map((column) => this.#nameOf(column)) }
        : {}),
      ...(columns ? { columns } : {}),
      ...(this.#rowNames.length ? { rowNames: this.#rowNames } : {}),
      ...labels,
    };
    const reading: Reading = {
      ...(columns ? { values: columns } : {}),
      ...(labels ? { labels: this.#nameOf(plan.label) } : {}),
      ...(passedOver.length ? { passedOver } : {}),
    };
    const absent = kept.filter((column) => this.#absent[column] > 0);
    if (absent.length === 0) return { ...rows, reading };
    if (missing === "error") throw this.#error(this.#missingText(absent, rows));
    const { values } = rows;
    const holes = Uint8Array.from(values, (value) => Number.isNaN(value) ? 1 : 0);
    const cells = absent.reduce((sum, column) => sum + this.#absent[column], 0);
    const listed = this.#listed(absent);
    if (missing === "mean") {
      const remark = `${counted(cells, "missing cell")} filled in with the column's mean (${listed})`;
      return { ...rows, missing: holes, reading: { ...reading, remarks: [remark] } };
    }
    return { ...withoutHoles(rows, holes, file), reading: { ...reading, remarks: [leftRows(rows, holes, listed)] } };
  }

  /** The values without some columns. */
  #without(empty: readonly number[]): Float32Array<ArrayBuffer> {
    const places = this.#valueColumns.map((column) => empty.includes(column));
    return this.#values.filter((_, i) => !places[i % places.length]);
  }

  /** What the columns of a kind are called. */
  #named(kind: number): string[] {
    const { kinds } = this.#options.plan;
    return [...kinds.keys()].filter((column) => kinds[column] === kind).map((column) => this.#nameOf(column));
  }

  #requireNumbers(): void {
    if (this.#wrong.size === 0) return;
    const { unit } = this.#options;
    const wrong = [...this.#wrong].sort(([a], [b]) => a - b);
    const name = (column: number) => excerpt(this.#nameOf(column)).slice(1, -1);
    // A list between commas cannot hold all names.
    const typed = (column: number) =>
      /^[^,"]{1,80}$/.test(this.#options.names?.[column] ?? "") ? name(column) : `${column + 1}`;
    const described = wrong.slice(0, 6).map(([column, { what, cell, where, count }]) => {
      const found = cell === "" ? "" : `${excerpt(cell)} `;
      return `${what} in ${name(column)} (${found}in ${unit} ${where}${count > 1 ? `, ${count} cells` : ""})`;
    });
    const more = wrong.length > 6 ? `, and in ${wrong.length - 6} more columns` : "";
    throw this.#error(`expected numbers, found ${described.join(", ")}${more}${this.#advice(wrong, typed)}`);
  }

  /** What can be done about columns that hold no numbers. */
  #advice(wrong: readonly (readonly [number, Wrong])[], name: (column: number) => string): string {
    if (wrong.some(([, { what }]) => what === "decimal commas")) return "; write numbers with a decimal point";
    const dropped = wrong.slice(0, 20).map(([column]) => name(column)).join(",");
    const drop = `--drop-column ${/[\s;&|<>"'$()*?]/.test(dropped) ? JSON.stringify(dropped) : dropped}`;
    const texts = wrong.filter(([, { what, count }]) => what === "text" && count === this.#count);
    const mayLabel = texts.length && texts.length <= 4 && this.#options.plan.label < 0;
    const label = mayLabel
      ? `--label-column ${texts.map(([column]) => name(column)).join(" or ")} takes it for the classes, `
      : "";
    return `; ${label}${drop} leaves ${wrong.length > 1 ? "them" : "it"} out`;
  }

  #missingText(absent: readonly number[], { values, count }: Rows): string {
    const width = values.length / count;
    let rows = 0;
    for (let row = 0; row < count; row++) if (hasHole(values, row * width, width)) rows++;
    const cells = absent.reduce((sum, column) => sum + this.#absent[column], 0);
    return `expected numbers, found ${counted(cells, "missing cell")} in ${rows} of ${counted(count, "row")}: ` +
      `${this.#listed(absent)}; --missing mean fills in the column's mean, --missing drop leaves these rows out`;
  }

  /** `age (12, first in line 7), cabin (3, first in line 2)`. */
  #listed(absent: readonly number[]): string {
    const { unit } = this.#options;
    const listed = absent.slice(0, 8).map((column) => {
      const count = this.#absent[column];
      const first = `${count > 1 ? "first " : ""}in ${unit} ${this.#firstAbsent[column]}`;
      return `${excerpt(this.#nameOf(column)).slice(1, -1)} (${count > 1 ? `${count}, ` : ""}${first})`;
    });
    return listed.join(", ") + (absent.length > 8 ? `, ${absent.length - 8} more columns` : "");
  }

  #nameOf(column: number): string {
    return this.#options.names?.[column] || `column ${column + 1}`;
  }

  /** The classes of the rows: integers from 0 to 255 as they are, others and names in their order. */
  #classesOf(): Pick<Rows, "labels" | "classNames"> {
    const texts = [...this.#classes.keys()];
    if (areNumbers(texts)) return { labels: this.#labels.map((place) => Number(texts[place])) };
    const fraction = texts.find((text) =>
      /\d/.test(text) && Number.isFinite(Number(text)) && !Number.isInteger(Number(text))
    );
    if (fraction !== undefined) {
      throw this.#error(`expected labels to be integers or names, found ${excerpt(fraction)}`);
    }
    const classNames = orderOf(texts);
    const classes = texts.map((text) => classNames.indexOf(text));
    return { labels: this.#labels.map((place) => classes[place]), classNames };
  }

  #error(message: string): FileError {
    return new FileError(this.#options.file, message);
  }
}

const counted = (count: number, noun: string) => `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;

function hasHole(values: ArrayLike<number>, from: number, width: number): boolean {
  for (let i = from; i < from + width; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

function leftRows({ count }: Rows, holes: Uint8Array, listed: string): string {
  const width = holes.length / count;
  const rows = Array.from({ length: count }, (_, row) => holes.subarray(row * width, (row + 1) * width).includes(1));
  return `${counted(rows.filter(Boolean).length, "row")} with missing cells left out (${listed})`;
}

/** The rows that have no hole, each with its number. */
function withoutHoles(rows: Rows, holes: Uint8Array, file: string): Rows {
  const width = holes.length / rows.count;
  const kept = Uint32Array.from(
    Array.from({ length: rows.count }, (_, row) => row).filter((row) =>
      !holes.subarray(row * width, (row + 1) * width).includes(1)
    ),
  );
  if (kept.length === 0) {
    throw new FileError(file, "expected rows without missing cells, found none; --missing mean fills them in");
  }
  const pick = <A extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(all: A): A => {
    const size = all.length / rows.count;
    for (const [place, row] of kept.entries()) all.copyWithin(place * size, row * size, (row + 1) * size);
    return all.slice(0, kept.length * size) as A;
  };
  return {
    ...rows,
    count: kept.length,
    values: pick(rows.values),
    ...(rows.labels ? { labels: pick(rows.labels) } : {}),
    ...(rows.covariates ? { covariates: pick(rows.covariates) } : {}),
    rowNumbers: kept,
  };
}
