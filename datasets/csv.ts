/**
 * Tables of numbers as text: cells between commas, semicolons, tabs or blanks, one row a line, with or without a line of names.
 * A file is read twice, once to count its lines, so that no row is in memory as text and as numbers together.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { defaults } from "../core/settings.ts";
import { labelColumn } from "./layout.ts";
import type { Rows } from "./rows.ts";
import { areClasses, hasComma, isMissing, numberOf, planOf, Table, type TableConfig, tableSettings } from "./table.ts";
import { cellsOf, type Delimiter, DELIMITERS, eachLine, type PiecewiseFile } from "./text_lines.ts";

/** Lines that are looked at to tell what stands between cells, and their characters together. */
const [SAMPLE, SAMPLE_SIZE] = [50, 2 ** 20];

/** Columns that a table may have: images of 1024 x 1024. */
const MOST_COLUMNS = 2 ** 20;

/** Lines that are no data. */
const COMMENT = /^\s*[#%]/;

/** How a file is written. */
interface Layout {
  /** Lines of data. */
  readonly rows: number;
  readonly delimiter: Delimiter;
  /** Cells of a line of data. */
  readonly width: number;
  readonly names?: readonly string[];
  /** Whether the first line that is no comment has the names. */
  readonly header: boolean;
}

/**
 * Reads a table. Its numbers become float32 as they are (a grey value of 255 is 255, not 1). A column named `label` (or as
 * `labelColumn` says) gives the labels: integers from 0 to 255, or names, which are counted in the order of the alphabet. Columns whose
 * names begin with `c_` are covariates.
 *
 * Lines that begin with `#` or `%` are comments. Cells may be in double quotes; a line break within a cell is not understood.
 *
 * @throws {FileError} If cells are no finite numbers, a row is longer or shorter than the first, or there is no row. The message names the
 * file, the line and the columns.
 * @throws {RangeError} If a setting names a column that is not there.
 */
export async function readCsv(file: PiecewiseFile, config: TableConfig = defaults(tableSettings)): Promise<Rows> {
  const layout = await layoutOf(file);
  const { rows, delimiter, width, names, header } = layout;
  const { label, remarks } = await labelOf(file, layout, config);
  const plan = planOf(file.path, names, width, config, label);
  // A cell has what ends it. So there cannot be more of them, however many columns the first line declares.
  const mostCells = file.size + 1;
  const table = new Table({
    ...{ file: file.path, rows, mostCells, plan, missing: config.missing, unit: "line" },
    ...(names ? { names } : {}),
  });
  let [count, skip] = [0, header];
  await eachData(file, (line, number) => {
    if (skip) return void (skip = false);
    if (++count > rows) {
      throw new FileError(file.path, `expected ${rows} lines, as when they were counted, found more`);
    }
    let column = 0;
    for (const cell of cellsOf(line, delimiter)) {
      // Counted to its end, for the message.
      if (column < width) table.text(column, cell, number);
      column++;
    }
    if (column !== width) {
      const open = line.split('"').length % 2 === 0 ? " (a line break within quotes is not understood)" : "";
      const found = `found ${column}${open}`;
      throw new FileError(file.path, `expected ${width} columns in line ${number}, as in the first, ${found}`);
    }
    table.endRow();
  });
  const read = table.rows();
  return remarks.length === 0
    ? read
    : { ...read, reading: { ...read.reading, remarks: [...read.reading?.remarks ?? [], ...remarks] } };
}

/** Calls back for every line that is neither blank nor a comment. */
async function eachData(file: PiecewiseFile, use: (line: string, number: number) => boolean | void): Promise<void> {
  await eachLine(file, (line, number) => COMMENT.test(line) ? undefined : use(line, number));
}

async function layoutOf(file: PiecewiseFile): Promise<Layout> {
  const sample: string[] = [];
  let [size, lines, comment] = [0, 0, ""];
  await eachLine(file, (line) => {
    if (COMMENT.test(line)) {
      if (lines === 0) comment = line.replace(/^\s*[#%]+/, "");
      return;
    }
    lines++;
    if (sample.length >= 2 && (sample.length === SAMPLE || size > SAMPLE_SIZE)) return;
    sample.push(line);
    size += line.length;
  });
  if (lines === 0) throw new FileError(file.path, "expected rows of numbers, found none");
  const delimiter = delimiterOf(sample);
  if (sample.some((line) => survey(line, delimiter).width > MOST_COLUMNS)) {
    throw new FileError(file.path, `expected at most ${MOST_COLUMNS} columns, found more`);
  }
  const cells = sample.map((line) => [...cellsOf(line, delimiter)]);
  const header = isHeader(cells);
  const width = (cells[1] ?? cells[0]).length;
  const [first] = cells;
  if (header) {
    const names = first.length === width - 1 ? ["", ...first] : first;
    return { rows: lines - 1, delimiter, width: names.length, names, header };
  }
  // NumPy's savetxt has the names in a comment.
  const names = comment ? [...cellsOf(comment, delimiter)] : [];
  const named = names.length === first.length && names.every((name) => name !== "" && Number.isNaN(numberOf(name)));
  return { rows: lines, delimiter, width: first.length, header, ...(named ? { names } : {}) };
}

const isNumber = (cell: string) => !Number.isNaN(numberOf(cell));

/** How many cells a line has, and how many of them are numbers. */
function survey(line: string, delimiter: Delimiter): { readonly width: number; readonly numbers: number } {
  let [width, numbers] = [0, 0];
  for (const cell of cellsOf(line, delimiter)) {
    if (++width > MOST_COLUMNS) break;
    if (isNumber(cell) || hasComma(cell)) numbers++;
  }
  return { width, numbers };
}

/** What stands between the cells: what gives every line as many, and the most numbers. */
function delimiterOf(sample: readonly string[]): Delimiter {
  const [first, ...rest] = sample;
  let [best, most]: [Delimiter | undefined, number] = [undefined, -1];
  for (const delimiter of DELIMITERS) {
    const own = survey(first, delimiter);
    const others = rest.map((line) => survey(line, delimiter));
    const { width } = others[0] ?? own;
    if (width < 2 || others.some((line) => line.width !== width)) continue;
    // R writes no name above the names of the rows.
    if (own.width !== width && own.width !== width - 1) continue;
    const numbers = others.reduce((sum, line) => sum + line.numbers, own.numbers) + (own.width === width ? 0.5 : 0);
    if (numbers > most) [best, most] = [delimiter, numbers];
  }
  return best ?? DELIMITERS.find((delimiter) => delimiter !== " " && first.includes(delimiter)) ?? ",";
}

/**
 * Whether the first line has the names of the columns: none of its cells is a number; or one has text above numbers, as of columns that are
 * called `label`, `0`, `1`.
 */
function isHeader([first, ...rest]: readonly (readonly string[])[]): boolean {
  const isText = (cell: string) => !isMissing(cell) && !isNumber(cell) && !hasComma(cell);
  if (!first.some(isText)) return false;
  if (!first.some((cell) => isNumber(cell) || hasComma(cell))) return true;
  const shift = rest.length && rest[0].length - first.length;
  return first.some((cell, i) =>
    isText(cell) && rest.length > 0 && rest.every((cells) => !isText(cells[i + shift] ?? "")) &&
    rest.some((cells) => isNumber(cells[i + shift] ?? ""))
  );
}

/** The column whose name says that it holds the classes, if it does. */
async function labelOf(
  file: PiecewiseFile,
  { names, delimiter, header, rows }: Layout,
  config: TableConfig,
): Promise<{ readonly label: number; readonly remarks: readonly string[] }> {
  if (!names || config.labelColumn) return { label: -1, remarks: [] };
  const label = labelColumn(names);
  if (label < 0 || names[label].toLowerCase() === "label") return { label, remarks: [] };
  const texts = new Set<string>();
  let skip = header;
  await eachData(file, (line) => {
    if (skip) return void (skip = false);
    let column = 0;
    for (const cell of cellsOf(line, delimiter)) if (column++ === label) texts.add(cell);
    return texts.size <= 256;
  });
  if (areClasses(texts, rows)) return { label, remarks: [] };
  return {
    label: -1,
    remarks: [`the column ${names[label]} holds numbers that are no classes: a value as the others`],
  };
}
