/**
 * Rows that stay in a file and are read as they are wanted. The file is opened anew for each reading, so that none is held open, and is
 * looked at then: rows of one that has changed would be others.
 *
 * @module
 */

import { FileError, memoryLeft } from "../core/bounds.ts";
import { roomFor, type RowArray, type RowReader } from "../core/row_reader.ts";
import type { Settings } from "../core/settings.ts";
import { BYTES, elements, type ElementType } from "../datasets/elements.ts";
import { systemFailure } from "./read.ts";

/** How rows are read. */
export interface ReadConfig {
  readonly read: "auto" | "whole" | "pieces";
}

/** The setting of what may be larger than memory. */
export const readSettings: Settings<ReadConfig> = {
  read: {
    type: "choice",
    default: "auto",
    choices: ["auto", "whole", "pieces"],
    help:
      "whole: rows are kept in memory; pieces: each is read from disk when it is wanted; auto: in pieces where they " +
      "would take more than a quarter of the free memory",
  },
};

/** Whether so many bytes of rows are left in their file. */
export function inPieces(read: ReadConfig["read"], bytes: number): boolean {
  return read === "pieces" || read === "auto" && bytes > memoryLeft() / 4;
}

/** What is said of such rows. */
export function remarkOn({ count, columns, type }: RowReader): string {
  const bytes = count * columns * (type === "u8" ? 1 : 4);
  const size = bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return `${size} of rows, each read from disk when it is wanted`;
}

/** Where rows lie: N of them, each D numbers, one after the other. */
export interface FileRows {
  readonly path: string;
  /** Bytes before the first. */
  readonly offset: number;
  readonly count: number;
  readonly columns: number;
  readonly type: ElementType;
  readonly littleEndian: boolean;
}

/** Bytes that are turned into numbers at a time. */
const ROOM = 2 ** 22;

/**
 * Reads rows of a file.
 *
 * @throws {FileError} If it holds more or fewer bytes than they have; when it is read, if it is another by then.
 */
export function fileRows({ path, offset, count, columns, type, littleEndian }: FileRows): RowReader {
  const stride = columns * BYTES[type];
  const first = look(path);
  const expected = offset + count * stride;
  if (first.size !== expected) {
    const found = first.size < expected ? `${first.size} (cut short?)` : `${first.size - expected} more after them`;
    throw new FileError(path, `expected ${expected} bytes for ${count} rows, found ${found}`);
  }
  const isBytes = type === "u8" || type === "bool";
  // As the machine has them: bytes go where they are wanted.
  const direct = type === "u8" || type === "f32" && littleEndian;
  const most = Math.max(1, Math.floor(ROOM / stride));

  function readRun(file: Deno.FsFile, row: number, rows: number, out: RowArray): void {
    file.seekSync(offset + row * stride, Deno.SeekMode.Start);
    const bytes = direct ? new Uint8Array(out.buffer, out.byteOffset, rows * stride) : new Uint8Array(rows * stride);
    for (let done = 0; done < bytes.length;) {
      const some = file.readSync(bytes.subarray(done));
      if (some === null) throw new FileError(path, `expected ${expected} bytes, found its end before (cut short?)`);
      done += some;
    }
    if (direct) return;
    out.set(elements({ bytes, offset: 0, end: bytes.length, count: rows * columns, type, littleEndian }, path));
  }

  return {
    ...{ file: path, type: isBytes ? "u8" : "f32", columns, count },
    read(some, at, out) {
      try {
        using file = Deno.openSync(path);
        requireSame(path, first, file.statSync());
        for (let done = 0; done < some;) {
          const row = at(done);
          let rows = 1;
          while (done + rows < some && rows < most && at(done + rows) === row + rows) rows++;
          readRun(file, row, rows, out.subarray(done * columns, (done + rows) * columns) as RowArray);
          done += rows;
        }
      } catch (cause) {
        throw cause instanceof FileError ? cause : systemFailure(path, cause);
      }
    },
  };
}

/**
 * The rows of several files, one file after the other.
 *
 * @param file What messages call them all.
 */
export function joinedRows(readers: readonly RowReader[], file: string): RowReader {
  const [{ type, columns }] = readers;
  const ends: number[] = [];
  for (const { count } of readers) ends.push((ends.at(-1) ?? 0) + count);
  return {
    ...{ file, type, columns, count: ends.at(-1)! },
    read(some, at, out) {
      // Which of the rows that are wanted lie in each file, so that each is opened once.
      const wanted = readers.map(() => ({ rows: [] as number[], places: [] as number[] }));
      for (let i = 0; i < some; i++) {
        const row = at(i);
        const which = ends.findIndex((end) => row < end);
        wanted[which].rows.push(row - (ends[which - 1] ?? 0));
        wanted[which].places.push(i);
      }
      wanted.forEach(({ rows, places }, which) => {
        if (!rows.length) return;
        const part = roomFor(type, rows.length * columns);
        readers[which].read(rows.length, (i) => rows[i], part);
        places.forEach((place, i) => out.set(part.subarray(i * columns, (i + 1) * columns), place * columns));
      });
    },
  };
}

function look(path: string): Deno.FileInfo {
  try {
    return Deno.statSync(path);
  } catch (cause) {
    throw systemFailure(path, cause);
  }
}

function requireSame(path: string, was: Deno.FileInfo, is: Deno.FileInfo): void {
  if (is.size === was.size && is.mtime?.getTime() === was.mtime?.getTime() && is.ino === was.ino) return;
  throw new FileError(path, "expected the file that was begun with, found that it has changed since");
}
