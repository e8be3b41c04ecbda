/**
 * MATLAB's level 5 .mat files (`save -v6`, `-v7`, scipy.io.savemat): the numeric arrays in them. Cells, structures,
 * texts and sparse matrices are passed over. This file parses bytes that are in memory.
 *
 * @module
 */

import { elements, type ElementType } from "./elements.ts";
import { inflate } from "./npy.ts";
import type { NumericArray } from "./rows.ts";

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
const UINT8 = 9;
const UINT64 = 15;
/** Bits of the array's flags. */
const COMPLEX = 0x0800;
const LOGICAL = 0x0200;

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

/**
 * Parses a .mat file.
 *
 * @returns The numeric arrays by their names, in MATLAB's shape and order: **column-major**. Those of class uint8 are
 * bytes, logical ones too (true is 255), all others float32.
 * @throws {Error} If it is none of level 5, is cut short or damaged.
 * @see https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 */
export async function parseMat(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Map<string, NumericArray>> {
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, 128));
  const order = head.slice(126, 128);
  if (head.startsWith("MATLAB 7.3") || head.startsWith("\x89HDF")) {
    throw new Error(`Cannot read "${file}": expected a level 5 .mat file, found version 7.3 (HDF5); save it with -v7`);
  }
  if (order !== "IM" && order !== "MI") {
    throw new Error(
      `Cannot read "${file}": expected a level 5 .mat file, found ${bytes.length} bytes of something else`,
    );
  }
  const source = sourceOf(bytes, order === "IM", file);
  const arrays = new Map<string, NumericArray>();
  for (let at = 128; at < bytes.length;) {
    const element = elementAt(source, at);
    const [inside, place] = element.type === COMPRESSED
      ? [sourceOf(await inflate(dataOf(source, element), "deflate", file), source.littleEndian, file), 0]
      : [source, at];
    const found = matrixAt(inside, elementAt(inside, place));
    if (found) arrays.set(found.name, found.array);
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

/** The tag of an element: eight bytes, or four where the data are at most four bytes long. */
function elementAt({ bytes, view, littleEndian, file }: Source, at: number): Element {
  const cut = () => new Error(`Cannot read "${file}": expected more after ${bytes.length} bytes (cut short?)`);
  if (at + 8 > bytes.length) throw cut();
  const word = view.getUint32(at, littleEndian);
  const short = word >>> 16;
  const [type, length, offset] = short > 0
    ? [word & 0xffff, short, at + 4]
    : [word, view.getUint32(at + 4, littleEndian), at + 8];
  if (offset + length > bytes.length) throw cut();
  // Data are filled up to eight bytes, but for packed ones.
  const next = short > 0 ? at + 8 : type === COMPRESSED ? offset + length : offset + Math.ceil(length / 8) * 8;
  return { type, offset, length, next };
}

/** The name and content of a numeric array; undefined for anything else. */
function matrixAt(source: Source, element: Element): { name: string; array: NumericArray } | undefined {
  const { view, littleEndian, file } = source;
  if (element.type !== MATRIX || element.length === 0) return undefined;
  const flags = elementAt(source, element.offset);
  const word = view.getUint32(flags.offset, littleEndian);
  const kind = word & 0xff;
  if (kind < DOUBLE || kind > UINT64) return undefined;

  const dimensions = elementAt(source, flags.next);
  const shape = Array.from(
    { length: dimensions.length / 4 },
    (_, i) => view.getInt32(dimensions.offset + 4 * i, littleEndian),
  );
  const named = elementAt(source, dimensions.next);
  const name = new TextDecoder("latin1").decode(dataOf(source, named));
  if (word & COMPLEX) throw new Error(`Cannot read "${file}": expected real numbers, found complex ones in "${name}"`);

  const data = elementAt(source, named.next);
  const type = STORED[data.type];
  const count = shape.reduce((product, size) => product * size, 1);
  if (!type) throw new Error(`Cannot read "${file}": expected numbers in "${name}", found data of type ${data.type}`);
  const within = source.bytes.subarray(0, data.offset + data.length);
  const read = elements({ bytes: within, offset: data.offset, count, type, littleEndian }, file);
  if (word & LOGICAL) return { name, array: { shape, values: Uint8Array.from(read, (value) => value ? 255 : 0) } };
  const isBytes = read instanceof Uint8Array;
  if (kind === UINT8) return { name, array: { shape, values: isBytes ? read : Uint8Array.from(read) } };
  return { name, array: { shape, values: isBytes ? Float32Array.from(read) : read } };
}
