/**
 * MATLAB's level 4 .mat files (`save -v4`, scipy.io.savemat with format="4"): matrices one after the other, each with a header of 20 bytes.
 * This file parses bytes that are in memory.
 *
 * @module
 */

import { elementCount, FileError } from "../core/bounds.ts";
import { elements, type ElementType } from "./elements.ts";
import type { StoredArray } from "./rows.ts";

/** How numbers are stored. */
const STORED: readonly ElementType[] = ["f64", "f32", "i32", "i16", "u16", "u8"];
const BYTES = [8, 4, 4, 2, 2, 1];

/** What a matrix is of. */
const [TEXT, SPARSE] = [1, 2];

const HEADER = 20;
const LONGEST_NAME = 64;

/** Matrices that a file may hold; each is looked at. */
const MOST_ARRAYS = 10_000;

/** Whether a file may be of level 4: those of level 5 begin with text, so with no zero among the first four bytes. */
export function isMat4(bytes: Uint8Array): boolean {
  return bytes.length >= HEADER && bytes.subarray(0, 4).includes(0) && typeOf(bytes, 0) !== undefined;
}

/** The type of the matrix at a place: 1000 M + 10 P + T, of byte order, precision and kind. */
function typeOf(bytes: Uint8Array, at: number): { precision: number; kind: number; littleEndian: boolean } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER);
  for (const littleEndian of [true, false]) {
    const type = view.getUint32(0, littleEndian);
    const order = Math.floor(type / 1000);
    const [precision, kind] = [Math.floor(type % 100 / 10), type % 10];
    if (order === (littleEndian ? 0 : 1) && type % 1000 < 100 && precision < STORED.length && kind <= SPARSE) {
      return { precision, kind, littleEndian };
    }
  }
  return undefined;
}

/**
 * Parses a .mat file of level 4.
 *
 * @returns The matrices by their names, as float32, in MATLAB's order: **column-major**.
 * @throws {FileError} If it is damaged or cut short.
 * @see https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf (level 4)
 */
export function parseMat4(bytes: Uint8Array<ArrayBuffer>, file: string): Map<string, StoredArray> {
  const arrays = new Map<string, StoredArray>();
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    const damaged = (found: string): never => {
      throw new FileError(file, `expected a matrix of a level 4 .mat file at byte ${at}, found ${found}`);
    };
    if (++count > MOST_ARRAYS) throw new FileError(file, `expected at most ${MOST_ARRAYS} arrays, found more`);
    if (at + HEADER > bytes.length) damaged(`${bytes.length - at} bytes (cut short?)`);
    const type = typeOf(bytes, at) ?? damaged("something else (damaged?)");
    const { precision, kind, littleEndian } = type;
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER);
    const [rows, columns, imaginary, length] = [4, 8, 12, 16].map((place) => view.getInt32(place, littleEndian));
    if (length < 1 || length > LONGEST_NAME || imaginary < 0 || imaginary > 1) damaged("a damaged header");
    const name = new TextDecoder("latin1").decode(bytes.subarray(at + HEADER, at + HEADER + length)).replace(
      /\0.*$/s,
      "",
    );
    const size = elementCount([rows, columns], `${file}/${name}`);
    const offset = at + HEADER + length;
    const end = offset + size * BYTES[precision];
    const next = end + imaginary * (end - offset);
    if (next > bytes.length) damaged(`"${name}" of ${next - at} bytes in ${bytes.length - at} (cut short?)`);
    const holds = kind === TEXT
      ? "text"
      : kind === SPARSE
      ? "a sparse matrix"
      : imaginary
      ? "complex numbers"
      : undefined;
    const shape = [rows, columns];
    const numbers = () =>
      elements({ bytes, offset, end, count: size, type: STORED[precision], littleEndian }, `${file}/${name}`);
    arrays.set(name, {
      shape,
      ...(holds ? { holds } : {}),
      ...(holds === "text" ? { texts: () => linesOf(numbers(), rows, columns) } : {}),
      read: () => {
        if (holds) throw new FileError(file, `expected numbers, found ${foundIn(holds)} in "${name}"`);
        const values = numbers();
        return { shape, values: values instanceof Uint8Array ? Float32Array.from(values) : values };
      },
    });
    at = next;
  }
  return arrays;
}

/** What a matrix holds, and what to do about it. */
export function foundIn(holds: string): string {
  return holds === "a sparse matrix" ? "a sparse matrix (save it by full(x))" : holds;
}

/** The rows of a matrix of letters, column-major, without the blanks that fill them up. */
export function linesOf(codes: ArrayLike<number>, rows: number, columns: number): string[] {
  return Array.from(
    { length: rows },
    (_, row) =>
      Array.from({ length: columns }, (_, column) => String.fromCharCode(codes[column * rows + row])).join("")
        .trimEnd(),
  );
}
