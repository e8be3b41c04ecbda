/**
 * Tables of numbers as text: cells between commas, semicolons or tabs, one row a line, with or without a line of names.
 * A file is read twice, once to count its lines, so that no row is in memory as text and as numbers together.
 *
 * @module
 */

import type { Rows } from "./rows.ts";

/** The column that holds the class of a row. */
const LABEL = "label";

/** What the names of columns begin with that hold covariates. */
const COVARIATE = "c_";

/** What stands for a number that is not there, and so does not make a line one of names. */
const MISSING = /^[+-]?(|nan|na|n\/a|null|none|inf)$/i;

/**
 * Reads a table. Its numbers become float32 as they are (a grey value of 255 is 255, not 1). A column named `label`
 * gives the labels: integers from 0 to 255, or names, which are counted in the order of the alphabet. Columns whose names
 * begin with `c_` are covariates.
 *
 * Cells may be in double quotes; a line break within a cell is not understood.
 *
 * @throws {Error} If a cell is no finite number, a row is longer or shorter than the first, or there is no row. The
 * message names the file, the line and the column.
 */
export async function readCsv(path: string, signal?: AbortSignal): Promise<Rows> {
  let lines = 0;
  await eachLine(path, () => lines++, signal);
  const table = new Table(path, lines);
  await eachLine(path, (line, number) => table.add(line, number), signal);
  return table.rows();
}

/** Calls back for every line that is not empty, with its number from 1. */
async function eachLine(
  path: string,
  use: (line: string, number: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  using file = await Deno.open(path);
  let [rest, number] = ["", 0];
  const take = (line: string) => {
    number++;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line !== "") use(line, number);
  };
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 16);
  for (let length: number | null; (length = await file.read(buffer)) !== null;) {
    signal?.throwIfAborted();
    const parts = (rest + decoder.decode(buffer.subarray(0, length), { stream: true })).split("\n");
    rest = parts.pop()!;
    parts.forEach(take);
  }
  rest += decoder.decode();
  if (rest !== "") take(rest);
}

/** Fills up with the numbers of one line after the other. */
class Table {
  readonly #path: string;
  readonly #lines: number;
  #delimiter = ",";
  #columns = 0;
  /** Place of the label, or -1. */
  #label = -1;
  /** Names of the covariates, by their places. */
  #covariates = new Map<number, string>();
  #count = 0;
  #values = new Float32Array(0);
  #covariateValues = new Float32Array(0);
  /** Which of #names a row has. */
  #labels = new Uint8Array(0);
  readonly #names = new Map<string, number>();

  constructor(path: string, lines: number) {
    this.#path = path;
    this.#lines = lines;
  }

  add(line: string, number: number): void {
    if (this.#columns === 0) {
      this.#delimiter = ["\t", ";"].find((delimiter) => line.includes(delimiter)) ?? ",";
      const cells = this.#split(line);
      const isHeader = cells.some((cell) => Number.isNaN(Number(cell)) && !MISSING.test(cell));
      this.#columns = cells.length;
      this.#label = isHeader ? cells.findIndex((cell) => cell.toLowerCase() === LABEL) : -1;
      this.#covariates = new Map(
        [...cells.entries()].filter(([, cell]) => isHeader && cell.toLowerCase().startsWith(COVARIATE)),
      );
      const count = this.#lines - (isHeader ? 1 : 0);
      this.#values = new Float32Array(count * this.#width);
      this.#covariateValues = new Float32Array(count * this.#covariates.size);
      if (this.#label >= 0) this.#labels = new Uint8Array(this.#lines - 1);
      if (isHeader) return;
    }
    const cells = this.#split(line);
    if (cells.length !== this.#columns) {
      throw this.#error(`expected ${this.#columns} columns in line ${number}, as in the first, found ${cells.length}`);
    }
    let at = this.#count * this.#width;
    let covariate = this.#count * this.#covariates.size;
    for (const [column, cell] of cells.entries()) {
      if (column === this.#label) {
        this.#labels[this.#count] = this.#nameOf(cell);
        continue;
      }
      const value = cell === "" ? NaN : Number(cell);
      if (!Number.isFinite(value)) {
        throw this.#error(
          `expected a number in line ${number}, column ${column + 1}, found ${cell === "" ? "nothing" : `"${cell}"`}`,
        );
      }
      if (this.#covariates.has(column)) this.#covariateValues[covariate++] = value;
      else this.#values[at++] = value;
    }
    this.#count++;
  }

  rows(): Rows {
    const count = this.#count;
    if (count === 0 || this.#width === 0) throw this.#error("expected rows of numbers, found none");
    const rows = {
      ...{ shape: [1, this.#width, 1] as const, count, values: this.#values },
      ...(this.#covariates.size ? { covariates: this.#covariateValues, names: [...this.#covariates.values()] } : {}),
    };
    if (this.#label < 0) return rows;
    const classes = this.#classes();
    return { ...rows, labels: this.#labels.map((name) => classes[name]) };
  }

  get #width(): number {
    return this.#columns - this.#covariates.size - (this.#label < 0 ? 0 : 1);
  }

  #nameOf(cell: string): number {
    const known = this.#names.get(cell);
    if (known !== undefined) return known;
    if (this.#names.size === 256) throw this.#error('expected at most 256 different values of "label", found more');
    this.#names.set(cell, this.#names.size);
    return this.#names.size - 1;
  }

  /** The class of each of #names. */
  #classes(): number[] {
    const names = [...this.#names.keys()];
    const numbers = names.map((name) => name === "" ? NaN : Number(name));
    if (numbers.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)) return numbers;
    const number = names.find((_, i) => !Number.isNaN(numbers[i]));
    if (number !== undefined) {
      throw this.#error(`expected labels to be integers from 0 to 255, or all of them names, found "${number}"`);
    }
    const sorted = [...names].sort();
    return names.map((name) => sorted.indexOf(name));
  }

  #split(line: string): string[] {
    if (!line.includes('"')) return line.split(this.#delimiter).map((cell) => cell.trim());
    const cells: string[] = [];
    let [cell, quoted] = ["", false];
    for (let i = 0; i < line.length; i++) {
      if (line[i] === '"' && quoted && line[i + 1] === '"') cell += line[++i];
      else if (line[i] === '"') quoted = !quoted;
      else if (line[i] === this.#delimiter && !quoted) [, cell] = [cells.push(cell.trim()), ""];
      else cell += line[i];
    }
    return [...cells, cell.trim()];
  }

  #error(message: string): Error {
    return new Error(`Cannot read "${this.#path}": ${message}`);
  }
}
