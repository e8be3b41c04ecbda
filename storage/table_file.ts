/**
 * Tables of results as files: CSV, Parquet, and NumPy's .npy and .npz. The extension says which.
 *
 * @module
 */

import { encodeNpy, encodeNpyRecords, encodeNpz, type WrittenArray } from "../datasets/npy.ts";
import { encodeParquet, type ParquetColumn } from "./parquet.ts";
import { writeFileAtomically } from "./write.ts";

/** The extensions of tables. */
export const TABLES = ["csv", "parquet", "npy", "npz"] as const;

/** One number or text for each row, or so many numbers as there are `columns`. */
export interface Field {
  readonly name: string;
  readonly values: WrittenArray["values"];
  /** What the columns of a field of several are called. */
  readonly columns?: readonly string[];
  /** Whether it is what an .npy file holds, where a table has a matrix as its result: [N, K], without what is known of the rows. */
  readonly matrix?: boolean;
}

/** Fields of equal count. */
export interface Table {
  readonly count: number;
  readonly fields: readonly Field[];
}

/**
 * The bytes of a table in the format of an extension.
 *
 * - `csv`: a header, then a line a row; a missing number (NaN) is an empty cell
 * - `parquet`: the same columns with their types
 * - `npz`: an array a field, [N] or [N, K]
 * - `npy`: the field that is a `matrix`, or else a structured array with all fields
 */
export async function encodeTable(table: Table, extension: typeof TABLES[number]): Promise<Uint8Array<ArrayBuffer>> {
  const { count, fields } = table;
  const arrays = () => Object.fromEntries(fields.map((field) => [field.name, arrayOf(field, count)]));
  switch (extension) {
    case "csv":
      return new TextEncoder().encode(csv(table));
    case "parquet":
      return await encodeParquet(columnsOf(table).map(parquetColumn));
    case "npz":
      return encodeNpz(arrays());
    case "npy": {
      const matrix = fields.find(({ matrix }) => matrix);
      return matrix ? encodeNpy(arrayOf(matrix, count)) : encodeNpyRecords(count, arrays());
    }
  }
}

/** Writes a table. */
export async function writeTable(path: string, table: Table, extension: typeof TABLES[number]): Promise<void> {
  await writeFileAtomically(path, await encodeTable(table, extension));
}

function arrayOf({ values, columns }: Field, count: number): WrittenArray {
  return { shape: columns ? [count, columns.length] : [count], values };
}

interface Column {
  readonly name: string;
  readonly values: Field["values"];
}

/** A field of several columns as so many columns. */
function columnsOf({ count, fields }: Table): Column[] {
  return fields.flatMap(({ name, values, columns }) => {
    if (!columns || !ArrayBuffer.isView(values)) return [{ name, values }];
    return columns.map((name, k): Column => {
      const Type = values.constructor as { new (length: number): Float32Array };
      const column = new Type(count);
      for (let row = 0; row < count; row++) column[row] = values[row * columns.length + k];
      return { name, values: column };
    });
  });
}

function parquetColumn({ name, values }: Column): ParquetColumn {
  if (values instanceof Float32Array) return { name, data: values, type: "FLOAT" };
  if (values instanceof Float64Array) return { name, data: values, type: "DOUBLE" };
  if (ArrayBuffer.isView(values)) return { name, data: Int32Array.from(values), type: "INT32" };
  return { name, data: values, type: "STRING" };
}

function csv(table: Table): string {
  const columns = columnsOf(table);
  const cell = ({ values }: Column, row: number) => {
    const value = values[row];
    if (typeof value === "string") return quoted(value);
    return Number.isNaN(value) ? "" : values instanceof Float32Array ? shortest(value) : value;
  };
  const lines = [columns.map(({ name }) => quoted(name)).join(",")];
  for (let row = 0; row < table.count; row++) lines.push(columns.map((column) => cell(column, row)).join(","));
  return lines.join("\n") + "\n";
}

/** A float32 in the fewest digits that give it back: 16.1, which as float64 is 16.100000381469727. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

function quoted(text: string): string {
  return /[",\n\r]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
