/**
 * Parquet files. Reading is npm hyparquet (MIT), fetched at the first one; unpacking is the host's, to the lengths that pages declare. This
 * file says what is taken of them: flat columns, row group by row group.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { builtin } from "./builtin.ts";
import { labelColumn } from "./layout.ts";
import { inflate } from "./packed.ts";
import { type ColumnChunk, requirePages } from "./parquet_pages.ts";
import type { Rows } from "./rows.ts";
import { areClasses, LABEL, LEFT_OUT, planOf, Table, type TableConfig, VALUE } from "./table.ts";

/** The package, as pinned in deno.lock. */
const PACKAGE = "hyparquet@1.31.5";

/** What a file says of itself, as far as it is looked at. */
interface Metadata {
  readonly num_rows: bigint;
  readonly row_groups: readonly { readonly num_rows: bigint; readonly columns: readonly ColumnChunk[] }[];
  readonly schema: readonly unknown[];
}

interface Node {
  readonly element: { readonly name: string; readonly repetition_type?: string };
  readonly children: readonly Node[];
}

type Decompress = (packed: Uint8Array<ArrayBuffer>, size: number) => Uint8Array;

/** Bytes by place; reading may wait. */
interface Source {
  readonly byteLength: number;
  slice(start: number, end?: number): ArrayBuffer;
}

/** What is used of hyparquet. */
interface Reader {
  parquetMetadataAsync(file: Source): Promise<Metadata>;
  parquetSchema(metadata: Metadata): Node;
  parquetRead(options: {
    readonly file: Source;
    readonly metadata: Metadata;
    readonly columns: readonly string[];
    readonly rowStart: number;
    readonly rowEnd: number;
    readonly compressors: Readonly<Record<string, Decompress>>;
    onChunk(
      chunk: { readonly columnName: string; readonly columnData: ArrayLike<unknown>; readonly rowStart: number },
    ): void;
  }): Promise<void>;
  snappyUncompress(packed: Uint8Array, out: Uint8Array): void;
}

/** Rows that a file may have: their numbers are indices of 32 bits. */
const MOST_ROWS = 2 ** 31 - 1;

/** Bytes that a byte stands for in snappy, at most: 64 for a copy of three. */
const MOST_SNAPPY = 32;

/** Column of pandas that has the names of the rows. */
const INDEX = /^__index_level_\d+__$/;

/**
 * Reads a table: the numbers of its columns as float32; labels and covariates as of a .csv file.
 *
 * @throws {FileError} If it is damaged, cells are no numbers or are missing, or there is no row.
 */
export async function readParquet(bytes: Uint8Array<ArrayBuffer>, path: string, config: TableConfig): Promise<Rows> {
  const reader: Reader = await import(["npm", PACKAGE].join(":")).catch((cause) => {
    throw new Error(
      `Cannot read Parquet files: npm package ${PACKAGE} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry (or save the table as .csv)",
      { cause },
    );
  });
  try {
    return await read(reader, bytes, path, config);
  } catch (cause) {
    if (cause instanceof FileError || (cause instanceof RangeError && cause.message.startsWith("Cannot read"))) {
      throw cause;
    }
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
    throw new FileError(path, `expected a Parquet file, found a damaged one (${reason.slice(0, 120)})`, { cause });
  }
}

async function read(reader: Reader, bytes: Uint8Array<ArrayBuffer>, path: string, config: TableConfig): Promise<Rows> {
  const fail = (message: string): never => {
    throw new FileError(path, message);
  };
  const begins = (at: number) => [..."PAR1"].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  if (!begins(0) || bytes.length < 12) fail(`expected a Parquet file, found ${bytes.length} bytes of something else`);
  const file: Source = {
    byteLength: bytes.length,
    slice: (start, end) => bytes.slice(start, end).buffer,
  };
  const metadata = await reader.parquetMetadataAsync(file);
  const rows = Number(metadata.num_rows);
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  if (rows < 0 || rows > MOST_ROWS || groups.some((count) => count < 0)) {
    fail(`expected at most ${MOST_ROWS} rows, found ${rows}`);
  }
  if (groups.reduce((sum, count) => sum + count, 0) !== rows) fail(`expected ${rows} rows in its groups, found others`);
  if (rows === 0) fail("expected rows of numbers, found none");
  const columns = reader.parquetSchema(metadata).children;
  const names = columns.map(({ element }) => element.name);
  if (new Set(names).size !== names.length) fail("expected columns of different names, found two of one");
  const index = names.filter((name) => INDEX.test(name) && !config.columns.includes(name));
  const nested = columns.filter(({ children, element }) => children.length || element.repetition_type === "REPEATED");
  const asked = { ...config, dropColumn: [...config.dropColumn, ...index] };
  const lists = nested.map(({ element }) => element.name);
  for (const group of metadata.row_groups) {
    for (const column of group.columns) {
      const isList = lists.includes(column.meta_data?.path_in_schema[0] ?? "");
      requirePages(bytes, column, isList ? Infinity : Number(group.num_rows));
    }
  }

  const each = async (
    wanted: readonly string[],
    use: (columns: readonly ArrayLike<unknown>[], count: number) => void,
  ) => {
    let start = 0;
    for (const count of groups) {
      // As objects and as numbers.
      requireMemory(16 * count * wanted.length, path, "a group of rows");
      const found = new Map(wanted.map((name) => [name, new Array<unknown>(count)]));
      await reader.parquetRead({
        ...{ file, metadata, columns: wanted, rowStart: start, rowEnd: start + count },
        compressors: compressors(reader, path),
        onChunk: ({ columnName, columnData, rowStart }) => {
          const column = found.get(columnName);
          for (let i = 0; column && i < columnData.length && rowStart - start + i < count; i++) {
            column[rowStart - start + i] = columnData[i];
          }
        },
      });
      use([...found.values()], count);
      start += count;
    }
  };

  let guessed = config.labelColumn ? -1 : labelColumn(names);
  const remarks: string[] = [];
  if (guessed >= 0 && names[guessed].toLowerCase() !== "label") {
    const texts = new Set<string>();
    await each([names[guessed]], ([column], count) => {
      for (let row = 0; row < count && texts.size <= 256; row++) texts.add(textOf(column[row]));
    });
    if (!areClasses(texts, rows)) {
      remarks.push(`the column ${names[guessed]} holds numbers that are no classes: a value as the others`);
      guessed = -1;
    }
  }
  const plan = planOf(path, names, names.length, asked, guessed);
  const bad = nested.filter(({ element: { name } }) => [VALUE, LABEL].includes(plan.kinds[names.indexOf(name)]));
  if (bad.length) {
    const listed = bad.map(({ element }) => element.name);
    fail(
      `expected numbers, found lists or structures in ${listed.join(", ")}; --drop-column ${
        listed.join(",")
      } leaves them out`,
    );
  }
  const used = names.map((name, column) => ({ name, column })).filter(({ column }) => plan.kinds[column] !== LEFT_OUT);
  const mostCells = rows * used.length;
  const table = new Table({ file: path, names, rows, mostCells, plan, missing: config.missing, unit: "row" });
  let row = 0;
  await each(used.map(({ name }) => name), (cells, count) => {
    for (let i = 0; i < count; i++, row++) {
      for (const [place, { column }] of used.entries()) {
        const cell = cells[place][i];
        if (typeof cell === "number") table.number(column, cell, row);
        else if (typeof cell === "bigint" || typeof cell === "boolean") table.number(column, Number(cell), row);
        else table.text(column, textOf(cell), row);
      }
      table.endRow();
    }
  });
  const found = table.rows();
  return remarks.length
    ? { ...found, reading: { ...found.reading, remarks: [...found.reading?.remarks ?? [], ...remarks] } }
    : found;
}

/** A cell as a text; a missing one is empty. */
function textOf(cell: unknown): string {
  if (cell === null || cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return "";
  if (cell instanceof Date) return Number.isNaN(cell.getTime()) ? "" : cell.toISOString();
  return typeof cell === "object" ? "bytes" : String(cell);
}

/** How pages are unpacked: to the length that they declare, held against what is packed and against memory. */
function compressors({ snappyUncompress }: Reader, path: string): Readonly<Record<string, Decompress>> {
  type Unpack = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array;
  const { zstdDecompressSync, brotliDecompressSync } = builtin<
    Record<"zstdDecompressSync" | "brotliDecompressSync", Unpack>
  >("zlib");
  const within = (unpack: Unpack): Decompress => (packed, size) => {
    requireMemory(2 * size, path, "packed data");
    return Uint8Array.from(unpack(packed, { maxOutputLength: Math.max(size, 1) }));
  };
  return {
    SNAPPY: (packed, size) => {
      if (size > MOST_SNAPPY * packed.length) {
        throw new FileError(
          path,
          `expected ${size} bytes when unpacked, found ${packed.length} packed ones, too few for that`,
        );
      }
      requireMemory(size, path, "packed data");
      const out = new Uint8Array(size);
      snappyUncompress(packed, out);
      return out;
    },
    GZIP: (packed, size) => inflate(packed, "gzip", size, path),
    ZSTD: within(zstdDecompressSync),
    BROTLI: within(brotliDecompressSync),
  };
}
