/**
 * The idx format of MNIST and its relatives: a big-endian header, then unsigned bytes. This file parses bytes that are
 * in memory; it opens no file and knows no dataset.
 *
 * @module
 */

import { elementCount, FileError } from "../core/bounds.ts";
import type { ArrayLayout } from "./elements.ts";
import { inflate, inflateStart } from "./packed.ts";

/** What an idx file holds. */
export interface Idx {
  /** The size of every dimension, outermost first: [count] for labels, [count, height, width] for images. */
  readonly shape: readonly number[];
  /** The bytes, row-major; a view of the bytes that were parsed. */
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Third byte of the magic number: the elements are unsigned bytes. The fourth is the number of dimensions. */
const UNSIGNED_BYTE = 0x08;

/** Bytes that say how long an idx file is, at most: what {@linkcode idxLayout} looks at. */
export const IDX_START = 4 + 4 * 255;

/**
 * Parses an idx file of unsigned bytes, without copying its data.
 *
 * @param bytes The whole file.
 * @param file The name of the file, for messages.
 * @param expected One entry a dimension: the size it must have, or `undefined` for any. Three entries ask for images
 * (magic 0x00000803), one for labels (magic 0x00000801).
 * @throws {FileError} If the magic number, a dimension or the length of the file is not what it should be.
 * @see http://yann.lecun.com/exdb/mnist/ (the section on file formats)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const labels: Idx = parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 3]), "labels", [undefined]);
 * assertEquals(labels.shape, [2]);
 * assertEquals([...labels.values], [7, 3]);
 * ```
 */
export function parseIdx(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
  expected: readonly (number | undefined)[],
): Idx {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) fail(`expected an idx file, found ${bytes.length} bytes (cut short?)`);
  const magic = view.getUint32(0);
  const wanted = UNSIGNED_BYTE << 8 | expected.length;
  if (magic !== wanted) fail(`expected magic ${hex(wanted)}, found ${hex(magic)}${guess(magic)}`);

  const header = 4 + 4 * expected.length;
  if (bytes.length < header) fail(`expected a header of ${header} bytes, found ${bytes.length} (cut short?)`);
  const shape = expected.map((_, axis) => view.getUint32(4 + 4 * axis));
  expected.forEach((size, axis) => {
    if (size !== undefined && shape[axis] !== size) {
      const sizes = expected.map((known) => known ?? "any").join(", ");
      fail(`expected dimensions [${sizes}], found [${shape.join(", ")}]`);
    }
  });

  const length = header + elementCount(shape, file);
  if (bytes.length < length) {
    fail(`expected ${length} bytes for dimensions [${shape.join(", ")}], found ${bytes.length} (cut short?)`);
  }
  if (bytes.length > length) {
    fail(
      `expected ${length} bytes for dimensions [${shape.join(", ")}], found ${bytes.length - length} more after them`,
    );
  }
  return { shape, values: bytes.subarray(header) };
}

/**
 * Where the bytes of an idx file lie that is not packed; undefined where it is none.
 *
 * @param start Its first {@linkcode IDX_START} bytes, or all.
 */
export function idxLayout(start: Uint8Array<ArrayBuffer>): ArrayLayout | undefined {
  const shape = start[2] === UNSIGNED_BYTE ? sizesIn(start) : undefined;
  return shape && { shape, type: "u8", littleEndian: false, columnMajor: false, offset: 4 + 4 * shape.length };
}

/** The dimensions that the first bytes of an idx file declare; undefined where it is none. */
function sizesIn(start: Uint8Array<ArrayBuffer>): number[] | undefined {
  if (start.length < 4 || start[0] !== 0 || start[1] !== 0 || start.length < 4 + 4 * start[3]) return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  return Array.from({ length: start[3] }, (_, axis) => view.getUint32(4 + 4 * axis));
}

/**
 * The bytes that an idx file must have, by its first ones; undefined where it is none.
 *
 * @throws {FileError} If its dimensions cannot be.
 */
function idxLength(start: Uint8Array<ArrayBuffer>, file: string): number | undefined {
  const sizes = sizesIn(start);
  return sizes && 4 + 4 * sizes.length + elementCount(sizes, file);
}

/**
 * Parses an idx file of any number of dimensions, packed by gzip or not.
 *
 * @throws {FileError} If it is none, or is damaged.
 */
export function parsePackedIdx(raw: Uint8Array<ArrayBuffer>, file: string): Idx {
  const packed = raw[0] === 0x1f && raw[1] === 0x8b;
  const start = packed ? inflateStart(raw, "gzip", IDX_START, file) : raw;
  const length = idxLength(start, file);
  if (length === undefined) {
    throw new FileError(
      file,
      "expected a folder of PNG files, .npy, .npz, .csv, .mat or an idx file, found none of these",
    );
  }
  const bytes = packed ? inflate(raw, "gzip", length, file) : raw;
  return parseIdx(bytes, file, Array.from({ length: bytes[3] }, () => undefined));
}

function hex(magic: number): string {
  return `0x${magic.toString(16).padStart(8, "0")}`;
}

/** What a wrong magic number tells of the file. */
function guess(magic: number): string {
  if (magic >>> 16 === 0x1f8b) return " (a gzip file?)";
  if (magic >>> 16 === 0x504b) return " (a zip file?)";
  if (magic === 0x00000801) return " (an idx file of labels?)";
  if (magic === 0x00000803) return " (an idx file of images?)";
  return "";
}
