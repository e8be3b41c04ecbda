/**
 * Tables of numbers as text: cells between commas, semicolons or tabs, one row a line, with or without a line of names.
 * A file is read twice, once to count its lines, so that no row is in memory as text and as numbers together.
 *
 * @module
 */

import { excerpt, FileError, requireMemory } from "../core/bounds.ts";
import { labelColumn } from "./layout.ts";
import type { Rows } from "./rows.ts";

/** The column that holds the class of a row, whatever it holds; one of another name in {@linkcode labelColumn} only if they are classes. */
const LABEL = "label";

/** A column that has the name of classes and is none of them. */
class NoClasses extends Error {}

/** What the names of columns begin with that hold covariates. */
const COVARIATE = "c_";

/** What stands for a number that is not there, and so does not make a line one of names. */
const MISSING = /^[+-]?(|nan|na|n\/a|null|none|inf)$/i;

/** A file that is read piece by piece, from the beginning each time. */
export interface PiecewiseFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Its bytes; a piece is good until the next is asked for. */
  pieces(): AsyncIterable<Uint8Array>;
}

/**
 * Reads a table. Its numbers become float32 as they are (a grey value of 255 is 255, not 1). A column named `label`
 * (or `class`, `target`, ..., see {@linkcode labelColumn}) gives the labels: integers from 0 to 255, or names, which are counted in the order of the alphabet. Columns whose names
 * begin with `c_` are covariates.
 *
 * Cells may be in double quotes; a line break within a cell is not understood.
 *
 * @throws {FileError} If a cell is no finite number, a row is longer or shorter than the first, or there is no row. The
 * message names the file, the line and the column.
 */
export async function readCsv(file: PiecewiseFile): Promise<Rows> {
  let lines = 0;
  await eachLine(file, () => lines++);
  const read = async (guess: boolean): Promise<Rows> => {
    const table = new Table(file.path, lines, file.size, guess);
    await eachLine(file, (line, number) => table.add(line, number));
    return table.rows();
  };
  try {
    return await read(true);
  } catch (error) {
    if (!(error instanceof NoClasses)) throw error;
    const rows = await read(false);
    return { ...rows, reading: { ...rows.reading, remarks: [...rows.reading?.remarks ?? [], error.message] } };
  }
}

/** Characters that a line may have: half of the longest text that the engine has. */
const LONGEST_LINE = 2 ** 28;

/** Calls back for every line that is not empty, with its number from 1. */
async function eachLine(file: PiecewiseFile, use: (line: string, number: number) => void): Promise<void> {
  // The parts of a line: joined once, when its end is there.
  let [parts, length, number]: [string[], number, number] = [[], 0, 0];
  const hold = (text: string) => {
    parts.push(text);
    length += text.length;
    if (length > LONGEST_LINE) {
      throw new FileError(file.path, `expected at most ${LONGEST_LINE} characters in line ${number + 1}, found more`);
    }
  };
  const take = (last: string) => {
    let line = last;
    if (length) {
      hold(last);
      line = parts.join("");
      [parts, length] = [[], 0];
    }
    number++;
    if (line.endsWith("\r")) line = line.slice(0, -1);
    if (line !== "") use(line, number);
  };
  const decoder = new TextDecoder();
  for await (const piece of file.pieces()) {
    const text = decoder.decode(piece, { stream: true });
    let from = 0;
    for (let to: number; (to = text.indexOf("\n", from)) >= 0; from = to + 1) {
      take(text.slice(from, to));
    }
    hold(text.slice(from));
  }
  take(decoder.decode());
}

/** What a column is. */
const [VALUE, CLASS, KNOWN] = [0, 1, 2];

/** Fills up with the numbers of one line after the other. */
class Table {
  readonly #path: string;
  readonly #lines: number;
  readonly #size: number;
  #delimiter = ",";
  /** What each column is. */
  #columns = new Uint8Array(0);
  #hasLabels = false;
  /** What the column of the labels is called. */
  #label = LABEL;
  readonly #guess: boolean;
  /** Names of the values' columns, where the first line has names. */
  #valueNames: string[] = [];
  /** Names of the covariates, in the order of their places. */
  #covariates: string[] = [];
  /** Rows there will be, and that are there. */
  #rows = 0;
  #count = 0;
  #values = new Float32Array(0);
  #covariateValues = new Float32Array(0);
  /** Which of #names a row has. */
  #labels = new Uint8Array(0);
  readonly #names = new Map<string, number>();

  /**
   * @param lines Lines that are not empty.
   * @param size Bytes of the file.
   * @param guess Whether a column may hold the classes that is not called `label`.
   */
  constructor(path: string, lines: number, size: number, guess = true) {
    this.#guess = guess;
    this.#path = path;
    this.#lines = lines;
    this.#size = size;
  }

  add(line: string, number: number): void {
    if (this.#columns.length === 0 && this.#begin(line)) return;
    if (this.#count === this.#rows) {
      throw this.#error(`expected ${this.#lines} lines, as when they were counted, found more`);
    }
    const columns = this.#columns.length;
    let column = 0;
    let at = this.#count * this.#width;
    let covariate = this.#count * this.#covariates.length;
    for (const cell of this.#cells(line)) {
      const kind = this.#columns[column++];
      // Counted to its end, for the message.
      if (column > columns) continue;
      if (kind === CLASS) {
        this.#labels[this.#count] = this.#nameOf(cell);
        continue;
      }
      const value = cell === "" ? NaN : Math.fround(Number(cell));
      if (!Number.isFinite(value)) {
        const found = cell === "" ? "nothing" : excerpt(cell);
        const beyond = Number.isFinite(Number(cell || NaN)) ? ", which is beyond float32" : "";
        throw this.#error(`expected a number in line ${number}, column ${column}, found ${found}${beyond}`);
      }
      if (kind === KNOWN) this.#covariateValues[covariate++] = value;
      else this.#values[at++] = value;
    }
    if (column !== columns) {
      throw this.#error(`expected ${columns} columns in line ${number}, as in the first, found ${column}`);
    }
    this.#count++;
  }

  /** Takes from the first line what the columns are; true where it has their names and no numbers. */
  #begin(line: string): boolean {
    this.#delimiter = ["\t", ";"].find((delimiter) => line.includes(delimiter)) ?? ",";
    let [columns, isHeader] = [0, false];
    for (const cell of this.#cells(line)) {
      columns++;
      isHeader ||= Number.isNaN(Number(cell)) && !MISSING.test(cell);
    }
    this.#columns = new Uint8Array(columns);
    if (isHeader) {
      let column = 0;
      const names = [...this.#cells(line)];
      const found = labelColumn(names);
      for (const cell of names) {
        const name = cell.toLowerCase();
        if (column === found && (this.#guess || name === LABEL)) {
          this.#hasLabels = true;
          this.#label = cell;
          this.#columns[column] = CLASS;
        } else if (name.startsWith(COVARIATE)) {
          this.#covariates.push(cell);
          this.#columns[column] = KNOWN;
        } else {
          this.#columns[column] = VALUE;
          this.#valueNames.push(cell);
        }
        column++;
      }
    }
    const count = this.#rows = this.#lines - (isHeader ? 1 : 0);
    // A cell has a digit and what ends it. So there cannot be more of them, however many columns the first line declares.
    const most = Math.ceil((this.#size + 1) / 2);
    const [values, covariates] = [this.#width, this.#covariates.length].map((width) => Math.min(count * width, most));
    requireMemory(4 * (values + covariates), this.#path, "numbers");
    this.#values = new Float32Array(values);
    this.#covariateValues = new Float32Array(covariates);
    if (this.#hasLabels) this.#labels = new Uint8Array(count);
    return isHeader;
  }

  rows(): Rows {
    const count = this.#count;
    if (count === 0 || this.#width === 0) throw this.#error("expected rows of numbers, found none");
    const rows = {
      ...{ shape: [1, this.#width, 1] as const, count, values: this.#values },
      ...(this.#covariates.length ? { covariates: this.#covariateValues, names: this.#covariates } : {}),
      ...(this.#valueNames.length ? { columns: this.#valueNames } : {}),
    };
    if (!this.#hasLabels) return rows;
    const classes = this.#classes();
    return { ...rows, labels: this.#labels.map((name) => classes[name]), reading: { labels: this.#label } };
  }

  get #width(): number {
    return this.#columns.length - this.#covariates.length - (this.#hasLabels ? 1 : 0);
  }

  #nameOf(cell: string): number {
    const known = this.#names.get(cell);
    if (known !== undefined) return known;
    if (this.#names.size === 256) {
      this.#requireLabel();
      throw this.#error('expected at most 256 different values of "label", found more');
    }
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
      this.#requireLabel();
      throw this.#error(`expected labels to be integers from 0 to 255, or all of them names, found ${excerpt(number)}`);
    }
    const sorted = [...names].sort();
    return names.map((name) => sorted.indexOf(name));
  }

  /** Of a column that is not called `label`, what is no class is a value. */
  #requireLabel(): void {
    if (this.#label.toLowerCase() === LABEL) return;
    throw new NoClasses(`the column ${this.#label} holds numbers that are no classes: a value as the others`);
  }

  /** The cells of a line, one after the other: all of a long line at once would take many times its size. */
  *#cells(line: string): Generator<string> {
    const delimiter = this.#delimiter;
    if (!line.includes('"')) {
      let from = 0;
      for (let to: number; (to = line.indexOf(delimiter, from)) >= 0; from = to + 1) yield line.slice(from, to).trim();
      return yield line.slice(from).trim();
    }
    let [cell, quoted] = ["", false];
    for (let i = 0; i < line.length; i++) {
      if (line[i] === '"' && quoted && line[i + 1] === '"') cell += line[++i];
      else if (line[i] === '"') quoted = !quoted;
      else if (line[i] === delimiter && !quoted) {
        yield cell.trim();
        cell = "";
      } else cell += line[i];
    }
    yield cell.trim();
  }

  #error(message: string): FileError {
    return new FileError(this.#path, message);
  }
}
