/**
 * MATLAB's level 5 .mat files (`save -v6`, `-v7`, scipy.io.savemat): the numeric arrays in them, and texts. Other cells, structures
 * and sparse matrices are named. This file parses bytes that are in memory.
 *
 * @module
 */

import { elementCount, FileError } from "../core/bounds.ts";
import { elements, type ElementType } from "./elements.ts";
import { inflate, inflateStart } from "./packed.ts";
import { foundIn, isMat4, linesOf, parseMat4 } from "./mat4.ts";
import type { NumericArray, StoredArray } from "./rows.ts";

/** How numbers are stored (miINT8 and so on); a matrix may be stored in a smaller type than its own. */
const STORED: Readonly<Record<number, ElementType>> = {
  1: "i8",
  2: "u8",
  3: "i16",
  4: "u16",
  5: "i32",
  6: "u32",
  7: "f32",
  9: "f64",
  12: "i64",
  13: "u64",
};
const MATRIX = 14;
const COMPRESSED = 15;

/** Classes of numeric arrays: double, single, and the eight kinds of integers from int8 to uint64. */
const DOUBLE = 6;
/** Classes of other arrays that say their dimensions and name as these do. */
const [CELL, CHAR, SPARSE] = [1, 4, 5];
const HOLDS: Readonly<Record<number, string>> = {
  [CELL]: "a cell array",
  2: "a structure",
  3: "an object",
  [CHAR]: "text",
  [SPARSE]: "a sparse matrix",
};
const UINT8 = 9;
const UINT64 = 15;
/** Bits of the array's flags. */
const COMPLEX = 0x0800;
const LOGICAL = 0x0200;

/** Bytes in which a matrix says its class, its dimensions and its name: 32 dimensions and a name of 63 characters take 264. */
const LONGEST_HEADER = 4096;

/** Arrays that a file may hold; each is looked at. */
const MOST_ARRAYS = 10_000;

/** One data element: its type, and where its data are. */
interface Element {
  readonly type: number;
  readonly offset: number;
  readonly length: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** A part of the file, packed or not, that elements are read from. */
interface Source {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly file: string;
}

/** What is known of a matrix before its numbers. */
interface Header {
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly shape: readonly number[];
  readonly count: number;
  /** Where the element with the numbers begins. */
  readonly next: number;
}

/**
 * Parses a .mat file.
 *
 * @returns The numeric arrays by their names, in MATLAB's shape and order: **column-major**. Those of class uint8 are
 * bytes, logical ones too (true is 255), all others float32. Each is unpacked when it is read.
 * @throws {FileError} If it is none of level 5, is cut short or damaged; when it is read, if the numbers are.
 * @see https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 */
export function parseMat(bytes: Uint8Array<ArrayBuffer>, file: string): Map<string, StoredArray> {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 128));
  const order = head.slice(126, 128);
  if (order !== "IM" && order !== "MI") {
    if (isMat4(bytes)) return parseMat4(bytes, file);
    throw new FileError(file, `expected a .mat file, found ${bytes.length} bytes of something else`);
  }
  const littleEndian = order === "IM";
  const source = sourceOf(bytes, littleEndian, file);
  const arrays = new Map<string, StoredArray>();
  let count = 0;
  for (let at = 128; at < bytes.length;) {
    if (++count > MOST_ARRAYS) throw new FileError(file, `expected at most ${MOST_ARRAYS} arrays, found more`);
    const element = elementAt(source, at, bytes.length);
    const data = dataOf(source, element);
    const packed = element.type === COMPRESSED;
    const start = packed ? sourceOf(inflateStart(data, "deflate", LONGEST_HEADER, file), littleEndian, file) : source;
    const place = packed ? 0 : at;
    if (start.bytes.length < place + 8) throw new FileError(file, "expected a packed array, found less than 8 bytes");
    // What a packed array says it has, all of it, is what is unpacked.
    const size = 8 + start.view.getUint32(place + 4, littleEndian);
    const header = headerAt(start, place, place + size);
    if (header) {
      const whole = () => packed ? sourceOf(inflate(data, "deflate", size, file), littleEndian, file) : source;
      const holds = HOLDS[header.kind];
      const isText = header.kind === CHAR || header.kind === CELL;
      arrays.set(header.name, {
        shape: header.shape,
        ...(holds ? { holds } : {}),
        ...(isText ? { texts: () => textsOf(whole(), header, place + size) } : {}),
        read: () => matrixOf(whole(), header, place + size),
      });
    }
    at = element.next;
  }
  return arrays;
}

function sourceOf(bytes: Uint8Array<ArrayBuffer>, littleEndian: boolean, file: string): Source {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), littleEndian, file };
}

function dataOf({ bytes }: Source, { offset, length }: Element): Uint8Array<ArrayBuffer> {
  return bytes.subarray(offset, offset + length);
}

/** The tag of an element: eight bytes, or four where the data are at most four bytes long; its data end within `end`. */
function elementAt({ bytes, view, littleEndian, file }: Source, at: number, end: number): Element {
  const last = Math.min(end, bytes.length);
  const fail = (needed: number): never => {
    throw new FileError(file, `expected an element up to byte ${needed}, found an end at ${last} (cut short?)`);
  };
  if (at + 8 > last) fail(at + 8);
  const word = view.getUint32(at, littleEndian);
  const short = word >>> 16;
  if (short > 4) throw new FileError(file, `expected at most 4 bytes in a short element, found ${short} (damaged?)`);
  const [type, length, offset] = short > 0
    ? [word & 0xffff, short, at + 4]
    : [word, view.getUint32(at + 4, littleEndian), at + 8];
  if (offset + length > last) fail(offset + length);
  // Data are filled up to eight bytes, but for packed ones.
  const next = short > 0 ? at + 8 : type === COMPRESSED ? offset + length : offset + Math.ceil(length / 8) * 8;
  return { type, offset, length, next };
}

/** What a numeric array says of itself before its numbers; undefined for anything else. */
function headerAt(source: Source, at: number, end: number): Header | undefined {
  const { view, littleEndian, file } = source;
  if (view.getUint32(at, littleEndian) !== MATRIX || end === at + 8) return undefined;
  const flags = elementAt(source, at + 8, end);
  if (flags.length < 8) throw new FileError(file, `expected 8 bytes of flags of an array, found ${flags.length}`);
  const word = view.getUint32(flags.offset, littleEndian);
  const kind = word & 0xff;
  if (!HOLDS[kind] && (kind < DOUBLE || kind > UINT64)) return undefined;

  const dimensions = elementAt(source, flags.next, end);
  if (dimensions.length % 4 || dimensions.length < 8) {
    throw new FileError(file, `expected two dimensions or more of 4 bytes each, found ${dimensions.length} bytes`);
  }
  const named = elementAt(source, dimensions.next, end);
  const name = new TextDecoder("latin1").decode(dataOf(source, named));
  const shape = Array.from(
    { length: dimensions.length / 4 },
    (_, i) => view.getInt32(dimensions.offset + 4 * i, littleEndian),
  );
  return { name, kind, flags: word, shape, count: elementCount(shape, `${file}/${name}`), next: named.next };
}

/** The numbers of an array. */
function matrixOf(source: Source, { name, kind, flags, shape, count, next }: Header, end: number): NumericArray {
  const { file } = source;
  if (HOLDS[kind]) throw new FileError(file, `expected numbers, found ${foundIn(HOLDS[kind])} in "${name}"`);
  if (flags & COMPLEX) throw new FileError(file, `expected real numbers, found complex ones in "${name}"`);
  const data = elementAt(source, next, end);
  const type = STORED[data.type];
  if (!type) throw new FileError(file, `expected numbers in "${name}", found data of type ${data.type}`);
  const read = elements({
    bytes: source.bytes,
    offset: data.offset,
    end: data.offset + data.length,
    count,
    type,
    littleEndian: source.littleEndian,
  }, `${file}/${name}`);
  if (flags & LOGICAL) return { shape, values: Uint8Array.from(read, (value) => value ? 255 : 0) };
  const isBytes = read instanceof Uint8Array;
  if (kind === UINT8) return { shape, values: isBytes ? read : Uint8Array.from(read) };
  return { shape, values: isBytes ? Float32Array.from(read) : read };
}

/** How letters are stored, besides numbers: UTF-8 and UTF-16. */
const LETTERS: Readonly<Record<number, ElementType>> = { ...STORED, 16: "u8", 17: "u16" };

/** The texts of a matrix of letters, a row each, or of a cell array of such. */
function textsOf(source: Source, header: Header, end: number): string[] {
  const { file, littleEndian } = source;
  const { name, kind, shape, count, next } = header;
  const fail = (found: string): never => {
    throw new FileError(file, `expected texts in "${name}", found ${found}`);
  };
  if (kind === CHAR) {
    if (shape.length !== 2) fail(`an array of the shape [${shape.join(", ")}]`);
    const data = elementAt(source, next, end);
    const type = LETTERS[data.type] ?? fail(`data of type ${data.type}`);
    if (data.type === 16 && shape[0] === 1) return [new TextDecoder().decode(dataOf(source, data))];
    const from = {
      bytes: source.bytes,
      offset: data.offset,
      end: data.offset + data.length,
      count,
      type,
      littleEndian,
    };
    return linesOf(elements(from, `${file}/${name}`), shape[0], shape[1]);
  }
  const texts: string[] = [];
  for (let at = next; texts.length < count;) {
    const cell = elementAt(source, at, end);
    const inside = headerAt(source, at, cell.offset + cell.length);
    if (inside?.kind !== CHAR || inside.shape[0] > 1) fail("a cell array of others");
    texts.push(inside!.count === 0 ? "" : textsOf(source, inside!, cell.offset + cell.length)[0]);
    at = cell.next;
  }
  return texts;
}
