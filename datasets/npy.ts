/**
 * NumPy's .npy and .npz files: one array, or a zip archive of arrays. This file parses and makes bytes in memory.
 *
 * @module
 */

import { elementCount, excerpt, FileError, requireMemory } from "../core/bounds.ts";
import { elements, type ElementType, fromColumnMajor } from "./elements.ts";
import type { NumericArray, StoredArray } from "./rows.ts";
import { crc32 } from "./packed.ts";
import { zipEntries } from "./zip.ts";

/** The types of NumPy that are read, without their byte order. */
const TYPES: Readonly<Record<string, ElementType>> = {
  b1: "bool",
  u1: "u8",
  i1: "i8",
  u2: "u16",
  i2: "i16",
  u4: "u32",
  i4: "i32",
  u8: "u64",
  i8: "i64",
  f4: "f32",
  f8: "f64",
};

/** Bytes that a header may have, NumPy's own limit for files that are not trusted. */
const LONGEST_HEADER = 10_000;

/** What the header of an .npy file says. */
interface Header {
  readonly shape: readonly number[];
  readonly count: number;
  readonly type: ElementType;
  readonly littleEndian: boolean;
  readonly columnMajor: boolean;
  /** Where the numbers begin. */
  readonly offset: number;
}

/**
 * Parses an .npy file. Unsigned bytes and booleans become bytes (true is 255), every other number a float32.
 *
 * @throws {FileError} If it is none, is cut short, or holds no numbers.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, file: string): NumericArray {
  const { shape, count, columnMajor, ...numbers } = parseHeader(bytes, file);
  const values = elements({ bytes, end: bytes.length, count, ...numbers }, file);
  return columnMajor ? fromColumnMajor({ shape, values }) : { shape, values };
}

function parseHeader(bytes: Uint8Array<ArrayBuffer>, file: string): Header {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const isNpy = [0x93, ..."NUMPY"].every((c, i) => bytes[i] === (typeof c === "number" ? c : c.charCodeAt(0)));
  if (!isNpy) fail(`expected an .npy array, found ${bytes.length} bytes of something else`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes[6] < 1 || bytes[6] > 3) fail(`expected an .npy array of version 1 to 3, found version ${bytes[6]}`);
  // Version 1 counts the header in two bytes, later ones in four.
  const start = bytes[6] === 1 ? 10 : 12;
  if (bytes.length < start) fail("expected an .npy array, found less than its header (cut short?)");
  const length = start === 10 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LONGEST_HEADER) fail(`expected a header of at most ${LONGEST_HEADER} bytes, found one of ${length}`);
  const offset = start + length;
  if (bytes.length < offset) fail(`expected a header of ${offset} bytes, found ${bytes.length} bytes (cut short?)`);
  const header = new TextDecoder().decode(bytes.subarray(start, offset));

  const values = dictionary(header);
  const descr = values.get("descr");
  const [, order, kind] = /^'([<>|=]?)(\w+)'$/.exec(descr ?? "") ?? [];
  const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined;
  if (!type) {
    const found = descr?.startsWith("[") ? "a table of several" : descr ?? "none";
    return fail(`expected numbers (${Object.keys(TYPES).join(", ")}), found the type ${found.slice(0, 80)}`);
  }
  const dimensions = /^\((.*)\)$/s.exec(values.get("shape") ?? "")?.[1];
  if (dimensions === undefined) return fail(`expected a shape in the header, found ${excerpt(header.trim())}`);
  const sizes = dimensions.split(",").map((text) => text.trim());
  if (sizes.at(-1) === "") sizes.pop();
  // NumPy 1 on Python 2 wrote 3L.
  const shape = sizes.map((size) => /^\d+L?$/.test(size) ? parseInt(size) : NaN);
  const count = elementCount(shape, file, sizes.join(", ").slice(0, 80));
  const fortran = values.get("fortran_order");
  if (fortran !== "True" && fortran !== "False") {
    return fail(`expected fortran_order True or False in the header, found ${excerpt(fortran)}`);
  }
  return { shape, count, type, littleEndian: order !== ">", columnMajor: fortran === "True", offset };
}

/** The values of a Python dictionary by their names, as text: strings, words, and lists without strings that hold brackets. */
function dictionary(text: string): Map<string, string> {
  const values = new Map<string, string>();
  const entry = /\s*'(\w+)'\s*:\s*('[^']*'|\w+|\([^()]*\)|\[[^\]]*\])\s*(,|\})/y;
  entry.lastIndex = /^\s*\{?/.exec(text)![0].length;
  for (let found; (found = entry.exec(text));) {
    values.set(found[1], found[2]);
    if (found[3] === "}") break;
  }
  return values;
}

/**
 * Parses an .npz file: the arrays by their names, each unpacked when it is read.
 *
 * @throws {FileError} If it is no zip archive or is cut short; when it is read, if the array is damaged or holds no numbers.
 */
export function parseNpz(bytes: Uint8Array<ArrayBuffer>, file: string): Map<string, StoredArray> {
  const arrays = new Map<string, StoredArray>();
  for (const { name, start, unpack } of zipEntries(bytes, file)) {
    if (!name.endsWith(".npy")) continue;
    const inside = `${file}/${name}`;
    arrays.set(name.slice(0, -4), {
      get shape() {
        return parseHeader(start(12 + LONGEST_HEADER), inside).shape;
      },
      read: () => parseNpy(unpack(), inside),
    });
  }
  return arrays;
}

/**
 * As {@linkcode parseNpz}, on any host: all arrays are unpacked at once.
 *
 * @throws {FileError} If it is no zip archive, is damaged, or has more in it than memory has room for.
 */
export async function parseNpzStream(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Map<string, StoredArray>> {
  const entries = zipEntries(bytes, file).filter(({ name }) => name.endsWith(".npy"));
  requireMemory(entries.reduce((sum, { size }) => sum + size, 0), file, "arrays");
  const arrays = new Map<string, StoredArray>();
  for (const { name, unpackStream } of entries) {
    const inside = `${file}/${name}`;
    const content = await unpackStream();
    arrays.set(name.slice(0, -4), {
      shape: parseHeader(content, inside).shape,
      read: () => parseNpy(content, inside),
    });
  }
  return arrays;
}

/** An array to be written: bytes, or floats of 32 bits. */
export interface WrittenArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint8Array;
}

/**
 * An .npy file of an array, version 1, little-endian, row-major.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function encodeNpy({ shape, values }: WrittenArray): Uint8Array<ArrayBuffer> {
  const bytes = values instanceof Uint8Array;
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${bytes ? "|u1" : "<f4"}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // The data begin at a multiple of 64, and the header ends with a line feed.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const out = new Uint8Array(start + values.byteLength);
  const view = new DataView(out.buffer);
  out.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  view.setUint16(8, start - 10, true);
  out.set(new TextEncoder().encode(text.padEnd(start - 11) + "\n"), 10);
  if (bytes) out.set(values, start);
  else values.forEach((value, i) => view.setFloat32(start + 4 * i, value, true));
  return out;
}

/** An .npz file of arrays by their names, stored as they are. */
export function encodeNpz(arrays: Readonly<Record<string, WrittenArray>>): Uint8Array<ArrayBuffer> {
  const files = Object.entries(arrays).map(([name, array]) => ({
    name: new TextEncoder().encode(`${name}.npy`),
    bytes: encodeNpy(array),
  }));
  const size = files.reduce((sum, { name, bytes }) => sum + 30 + 46 + 2 * name.length + bytes.length, 22);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  const u16 = (value: number) => view.setUint16((at += 2) - 2, value, true);
  const u32 = (value: number) => view.setUint32((at += 4) - 4, value, true);
  const put = (bytes: Uint8Array) => out.set(bytes, (at += bytes.length) - bytes.length);
  const places: number[] = [];
  // Version 2.0, no flags, stored, 1 January 1980, checksum, packed and unpacked size, length of the name, no extra.
  const common = ({ name, bytes }: typeof files[number]) => {
    for (const value of [20, 0, 0, 0, 33]) u16(value);
    for (const value of [crc32(bytes), bytes.length, bytes.length]) u32(value);
    for (const value of [name.length, 0]) u16(value);
  };
  for (const file of files) {
    places.push(at);
    u32(0x04034b50);
    common(file);
    put(file.name);
    put(file.bytes);
  }
  const directory = at;
  files.forEach((file, i) => {
    u32(0x02014b50);
    u16(20);
    common(file);
    // No comment, first disk, no attributes.
    for (const value of [0, 0, 0, 0, 0]) u16(value);
    u32(places[i]);
    put(file.name);
  });
  const end = at;
  u32(0x06054b50);
  for (const value of [0, 0, files.length, files.length]) u16(value);
  u32(end - directory);
  u32(directory);
  u16(0);
  return out;
}
