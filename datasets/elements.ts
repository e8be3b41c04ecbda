/**
 * Numbers of any type and byte order, as files hold them, turned into the two types that the engine takes; and arrays
 * turned from column-major into row-major.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import type { NumericArray } from "./rows.ts";

/** Types of numbers in files. */
export type ElementType = "bool" | "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f16" | "f32" | "f64";

/** Bytes of a number of each type. */
export const BYTES: Readonly<Record<ElementType, number>> = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f16: 2,
  f32: 4,
  f64: 8,
};

/** Where the numbers of an array lie in its file. */
export interface ArrayLayout {
  readonly shape: readonly number[];
  readonly type: ElementType;
  readonly littleEndian: boolean;
  /** Whether the first index runs fastest. */
  readonly columnMajor: boolean;
  /** Bytes before the first number. */
  readonly offset: number;
}

/** Numbers within a file. */
export interface Elements {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where they begin, and where they end. */
  readonly offset: number;
  readonly end: number;
  readonly count: number;
  readonly type: ElementType;
  readonly littleEndian: boolean;
}

/**
 * Reads numbers: bytes as they are (a view, not a copy, as of float32 where it can be), booleans as 0 and 255, all others as float32.
 *
 * @throws {FileError} If there are fewer or more bytes than so many numbers have, or too many for memory.
 */
export function elements(
  { bytes, offset, end, count, type, littleEndian }: Elements,
  file: string,
): NumericArray["values"] {
  const expected = count * BYTES[type];
  if (expected !== end - offset) {
    const found = end - offset < expected
      ? `${end - offset} (cut short?)`
      : `${end - offset - expected} more after them`;
    throw new FileError(file, `expected ${expected} bytes for ${count} numbers, found ${found}`);
  }
  const raw = bytes.subarray(offset, end);
  if (type === "u8") return raw;
  if (type === "bool") return raw.map((value) => value ? 255 : 0);
  const start = bytes.byteOffset + offset;
  // Most float32 files are as the machine has them: then nothing is copied either.
  if (type === "f32" && littleEndian && start % 4 === 0) return new Float32Array(bytes.buffer, start, count);
  const view = new DataView(bytes.buffer, start, end - offset);
  const read: Readonly<Record<Exclude<ElementType, "u8" | "bool">, (at: number) => number>> = {
    i8: (at) => view.getInt8(at),
    u16: (at) => view.getUint16(at, littleEndian),
    i16: (at) => view.getInt16(at, littleEndian),
    u32: (at) => view.getUint32(at, littleEndian),
    i32: (at) => view.getInt32(at, littleEndian),
    u64: (at) => Number(view.getBigUint64(at, littleEndian)),
    i64: (at) => Number(view.getBigInt64(at, littleEndian)),
    f16: (at) => view.getFloat16(at, littleEndian),
    f32: (at) => view.getFloat32(at, littleEndian),
    f64: (at) => view.getFloat64(at, littleEndian),
  };
  requireMemory(4 * count, file, "numbers");
  const values = new Float32Array(count);
  const [one, width] = [read[type], BYTES[type]];
  for (let i = 0; i < count; i++) values[i] = one(i * width);
  return values;
}

/**
 * The same array row-major: of a column-major one the first index runs fastest.
 *
 * @param axes The axes of the result, by their place in the array. Default: as they are.
 * @returns The array itself, in another shape, where no number has to move.
 */
export function fromColumnMajor(
  { shape, values }: NumericArray,
  axes: readonly number[] = shape.map((_, axis) => axis),
): NumericArray {
  const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
  const sizes = axes.map((axis) => shape[axis]);
  const strides = axes.map((axis) => product(shape.slice(0, axis)));
  const rowMajor = sizes.map((_, axis) => product(sizes.slice(axis + 1)));
  if (strides.every((stride, axis) => sizes[axis] === 1 || stride === rowMajor[axis])) return { shape: sizes, values };

  const out = values.slice();
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = values[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= strides[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return { shape: sizes, values: out };
}
