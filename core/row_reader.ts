/**
 * Rows that are not in memory: they are read from where they lie, a file say, as they are wanted.
 *
 * @module
 */

import { requireMemory } from "./bounds.ts";

/** Values of rows, row-major. Bytes stand for value / 255. */
export type RowArray = Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** Reads N rows of D values by their numbers. */
export interface RowReader {
  /** What messages call it. */
  readonly file: string;
  /** What values are read as. */
  readonly type: "u8" | "f32";
  /** D */
  readonly columns: number;
  /** N */
  readonly count: number;
  /** Of rows that are some of others: those, and where each of these is among them. */
  readonly among?: { readonly reader: RowReader; place(row: number): number };
  /**
   * Reads the rows `at(0)` to `at(count - 1)`. Synchronous: what steps need is brought while they are recorded.
   *
   * @param out [count, D], of the type; the values are finite.
   * @throws {FileError} If they cannot be read.
   */
  read(count: number, at: (i: number) => number, out: RowArray): void;
}

/** What becomes of rows: as many, of another type or width. */
export interface RowChange {
  /** What values become. */
  readonly type: RowReader["type"];
  /** How many each row has then. */
  readonly columns: number;
  /** Writes what becomes of `rows` into `out`. */
  apply(rows: RowArray, out: RowArray): void;
}

/** Room for so many values. */
export function roomFor(type: RowReader["type"], length: number): RowArray {
  return type === "u8" ? new Uint8Array(length) : new Float32Array(length);
}

/** The reader of which this one gives some rows, or itself. */
export function baseOf(reader: RowReader): RowReader {
  return reader.among?.reader ?? reader;
}

/** `count` rows, the first of which is `place(0)`. */
function rowsAmong(reader: RowReader, count: number, place: (row: number) => number): RowReader {
  const { among } = reader;
  if (among) return rowsAmong(among.reader, count, (row) => among.place(place(row)));
  return {
    ...{ file: reader.file, type: reader.type, columns: reader.columns, count },
    among: { reader, place },
    read: (count, at, out) => reader.read(count, (i) => place(at(i)), out),
  };
}

/** The rows `from` to `to` (exclusive). */
export function someRows(reader: RowReader, from: number, to: number): RowReader {
  return rowsAmong(reader, to - from, (row) => from + row);
}

/** The rows at `places`, in their order. */
export function pickedRows(reader: RowReader, places: ArrayLike<number>): RowReader {
  return rowsAmong(reader, places.length, (row) => places[row]);
}

/** Readers of changed rows by the change: parts of one reader, changed alike, are parts of one reader again. */
const changed = new WeakMap<RowChange, WeakMap<RowReader, RowReader>>();

/** What becomes of rows, made anew each time that they are read. */
export function changedRows(reader: RowReader, change: RowChange): RowReader {
  const { among, file, count } = reader;
  if (among) return rowsAmong(changedRows(among.reader, change), count, among.place);
  const known = changed.get(change) ?? new WeakMap<RowReader, RowReader>();
  changed.set(change, known);
  const { type, columns, apply } = change;
  const made = known.get(reader) ?? {
    ...{ file, count, type, columns },
    read(count, at, out) {
      const rows = roomFor(reader.type, count * reader.columns);
      reader.read(count, at, rows);
      apply(rows, out);
    },
  };
  known.set(reader, made);
  return made;
}

/** The rows of some readers, one after the other. */
export function joinedRows(readers: readonly RowReader[]): RowReader {
  const [{ file, type, columns }] = readers;
  const total = readers.reduce((sum, { count }) => sum + count, 0);
  const starts = readers.map((_, r) => readers.slice(0, r).reduce((sum, { count }) => sum + count, 0));
  const of = (row: number) => starts.findLastIndex((start) => start <= row);
  const base = baseOf(readers[0]);
  if (readers.every(({ among }) => among?.reader === base)) {
    return rowsAmong(base, total, (row) => readers[of(row)].among!.place(row - starts[of(row)]));
  }
  return {
    ...{ file, type, columns, count: total },
    read(count, at, out) {
      for (let done = 0; done < count;) {
        const r = of(at(done));
        let end = done + 1;
        while (end < count && of(at(end)) === r) end++;
        const first = done;
        readers[r].read(end - done, (i) => at(first + i) - starts[r], out.subarray(done * columns, end * columns));
        done = end;
      }
    },
  };
}

/** Values of a piece. */
const PIECE = 2 ** 22;

/** All rows in pieces; each is overwritten by the next. */
export function* piecesOf(reader: RowReader): Generator<RowArray> {
  const { type, columns, count } = reader;
  const rows = Math.max(1, Math.min(count, Math.floor(PIECE / columns)));
  const room = roomFor(type, rows * columns);
  for (let from = 0; from < count; from += rows) {
    const some = Math.min(rows, count - from);
    const out = room.subarray(0, some * columns) as RowArray;
    reader.read(some, (i) => from + i, out);
    yield out;
  }
}

/**
 * All rows in memory.
 *
 * @throws {FileError} If they do not fit there.
 */
export function wholeRows(reader: RowReader): RowArray {
  const { file, type, columns, count } = reader;
  requireMemory(count * columns * (type === "u8" ? 1 : 4), file, "rows");
  const out = roomFor(type, count * columns);
  reader.read(count, (i) => i, out);
  return out;
}
