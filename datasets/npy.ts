/**
 * NumPy's .npy and .npz files: one array, or a zip archive of arrays. This file parses and makes bytes in memory.
 *
 * @module
 */

import { elements, type ElementType, fromColumnMajor } from "./elements.ts";
import type { NumericArray } from "./rows.ts";

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

/**
 * Parses an .npy file. Unsigned bytes and booleans become bytes (true is 255), every other number a float32.
 *
 * @throws {Error} If it is none, is cut short, or holds no numbers.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, file: string): NumericArray {
  const fail = (message: string): never => {
    throw new Error(`Cannot read "${file}": ${message}`);
  };
  const isNpy = [0x93, ..."NUMPY"].every((c, i) => bytes[i] === (typeof c === "number" ? c : c.charCodeAt(0)));
  if (!isNpy) fail(`expected an .npy array, found ${bytes.length} bytes of something else`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Version 1 counts the header in two bytes, later ones in four.
  const start = bytes[6] === 1 ? 10 : 12;
  if (bytes.length < start) fail("expected an .npy array, found less than its header (cut short?)");
  const end = start + (start === 10 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (bytes.length < end) fail(`expected a header of ${end} bytes, found ${bytes.length} bytes (cut short?)`);
  const header = new TextDecoder().decode(bytes.subarray(start, end));

  const [, order, kind] = /'descr':\s*'([<>|=]?)(\w+)'/.exec(header) ?? [];
  const type = TYPES[kind];
  if (!type) {
    const found = /'descr':\s*('[^']*'|\[.*?\])/.exec(header)?.[1] ?? "none";
    return fail(`expected numbers (${Object.keys(TYPES).join(", ")}), found the type ${found}`);
  }
  const dimensions = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (dimensions === undefined) return fail(`expected a shape in the header, found ${JSON.stringify(header.trim())}`);
  const shape = dimensions.split(",").map((text) => text.trim()).filter(Boolean).map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const values = elements({ bytes, offset: end, count, type, littleEndian: order !== ">" }, file);
  return /'fortran_order':\s*True/.test(header) ? fromColumnMajor({ shape, values }) : { shape, values };
}

/**
 * Parses an .npz file: the arrays by their names.
 *
 * @throws {Error} If it is no zip archive, is cut short, or an array in it cannot be read.
 */
export async function parseNpz(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Map<string, NumericArray>> {
  const arrays = new Map<string, NumericArray>();
  for (const { name, unpack } of zipEntries(bytes, file)) {
    if (!name.endsWith(".npy")) continue;
    arrays.set(name.slice(0, -4), parseNpy(await unpack(), `${file}/${name}`));
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

/** The checksum of zip archives, polynomial 0xedb88320. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (crc ^ 0xffffffff) >>> 0;
}

interface ZipEntry {
  readonly name: string;
  unpack(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a zip archive holds, by its central directory. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
function* zipEntries(bytes: Uint8Array<ArrayBuffer>, file: string): Generator<ZipEntry> {
  const fail = (message: string): never => {
    throw new Error(`Cannot read "${file}": ${message}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0x504b) fail("expected a zip archive, found something else");
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) fail("expected a zip archive, found one without its directory (cut short?)");
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) fail("expected a zip archive, found a damaged one");
    const [method, packed, size] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 24, true),
    ];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extra + comment;
    if ([packed, size, local].includes(0xffffffff)) fail(`expected less than 4 GiB, found more in "${name}"`);
    if (method !== 0 && method !== 8) fail(`expected "${name}" stored or deflated, found method ${method}`);
    if (local + 30 > end) fail("expected a zip archive, found a damaged one");
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const data = bytes.subarray(start, start + packed);
    yield {
      name,
      unpack: async () => method === 0 ? data : await inflate(data, "deflate-raw", `${file}/${name}`, size),
    };
  }
}

/**
 * Unpacks deflated bytes.
 *
 * @param size The length that they must have, where it is known.
 * @throws {Error} If they are damaged.
 */
export async function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  format: "deflate" | "deflate-raw",
  file: string,
  size?: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let unpacked;
  try {
    unpacked = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format))).bytes();
  } catch (cause) {
    throw new Error(`Cannot read "${file}": expected packed data, found some that do not unpack (damaged?)`, { cause });
  }
  if (size === undefined || unpacked.length === size) return unpacked;
  throw new Error(`Cannot read "${file}": expected ${size} bytes when unpacked, found ${unpacked.length}`);
}
