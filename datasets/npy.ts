/**
 * NumPy's .npy and .npz files: one array, or a zip archive of arrays. This file parses and makes bytes in memory.
 *
 * @module
 */

import { elementCount, excerpt, FileError, requireMemory } from "../core/bounds.ts";
import { type ArrayLayout, elements, type ElementType, fromColumnMajor } from "./elements.ts";
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
  f2: "f16",
  f4: "f32",
  f8: "f64",
};

/** Bytes that a header may have, NumPy's own limit for files that are not trusted. */
const LONGEST_HEADER = 10_000;

/** What the header of an .npy file says. */
interface Header {
  readonly shape: readonly number[];
  readonly count: number;
  /** That of numbers; undefined for anything else. */
  readonly type?: ElementType;
  /** The type as it stands in the file, without its byte order: `f4`, `U10`, `O`. */
  readonly kind: string;
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
  const { shape, count, columnMajor, type, littleEndian, offset, kind } = parseHeader(bytes, file);
  const values = elements(
    { bytes, offset, end: bytes.length, count, type: type ?? refuse(kind, file), littleEndian },
    file,
  );
  return columnMajor ? fromColumnMajor({ shape, values }) : { shape, values };
}

/** Bytes of a file that {@linkcode npyLayout} looks at. */
export const NPY_START = 12 + LONGEST_HEADER;

/**
 * Where the numbers of an .npy file lie.
 *
 * @param start Its first {@linkcode NPY_START} bytes, or all.
 * @throws {FileError} If it is none, or holds no numbers.
 */
export function npyLayout(start: Uint8Array<ArrayBuffer>, file: string): ArrayLayout {
  const { shape, type, kind, littleEndian, columnMajor, offset } = parseHeader(start, file);
  return { shape, type: type ?? refuse(kind, file), littleEndian, columnMajor, offset };
}

function refuse(kind: string, file: string): never {
  throw new FileError(file, `expected numbers (${Object.keys(TYPES).join(", ")}), found ${foundIn(kind)}`);
}

/** What an array holds that has no numbers. */
function holding(kind: string): string {
  if (/^[USa]\d+$/.test(kind)) return "text";
  if (kind === "O") return "Python objects";
  if (kind.startsWith("[")) return "a table of several types";
  if (/^c\d/.test(kind)) return "complex numbers";
  if (/^[mM]8/.test(kind)) return "dates or times";
  return `the type ${kind.slice(0, 80)}`;
}

/** The same, and what to do about it. */
function foundIn(kind: string): string {
  const what = holding(kind);
  if (what === "Python objects") return `${what}; save it as numbers or text: array.astype(float) or array.astype(str)`;
  return what === "text" ? `${what} (${kind})` : what;
}

/** Letters that a text may have. */
const LONGEST_TEXT = 10_000;

/** The texts of an array, row-major: UTF-32 (`U`) or bytes (`S`), each filled up with zeros. */
function textsOf(bytes: Uint8Array<ArrayBuffer>, file: string): string[] {
  const { kind, count, offset, littleEndian, shape, columnMajor } = parseHeader(bytes, file);
  const [, letter, digits] = /^([USa])(\d+)$/.exec(kind) ?? [];
  const length = Number(digits);
  const size = (letter === "U" ? 4 : 1) * length;
  if (!letter || length > LONGEST_TEXT) {
    throw new FileError(file, `expected texts of at most ${LONGEST_TEXT} letters, found ${foundIn(kind)}`);
  }
  if (bytes.length - offset !== count * size) {
    throw new FileError(file, `expected ${count * size} bytes for ${count} texts, found ${bytes.length - offset}`);
  }
  if (columnMajor && shape.filter((side) => side > 1).length > 1) {
    throw new FileError(file, `expected a list of texts, found the shape [${shape.join(", ")}]`);
  }
  requireMemory(2 * count * size, file, "texts");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  return Array.from({ length: count }, (_, i) => {
    const at = offset + i * size;
    if (letter !== "U") return decoder.decode(bytes.subarray(at, at + size)).replace(/\0+$/, "");
    let text = "";
    for (let place = at; place < at + size; place += 4) {
      const code = view.getUint32(place, littleEndian);
      if (code > 0x10ffff) throw new FileError(file, `expected letters of Unicode, found ${code} (damaged?)`);
      text += String.fromCodePoint(code);
    }
    return text.replace(/\0+$/, "");
  });
}

/**
 * An .npy file as an array that is not read yet.
 *
 * @param start Its first bytes, {@linkcode HEADER_BYTES} of them or all.
 * @param whole All of them.
 */
export function storedNpy(
  start: () => Uint8Array<ArrayBuffer>,
  whole: () => Uint8Array<ArrayBuffer>,
  file: string,
): StoredArray {
  let known: Header | undefined;
  const header = () => known ??= parseHeader(start(), file);
  return {
    get shape() {
      return header().shape;
    },
    get holds() {
      const { type, kind } = header();
      return type ? undefined : holding(kind);
    },
    get texts() {
      return this.holds === "text" ? () => textsOf(whole(), file) : undefined;
    },
    read: () => parseNpy(whole(), file),
  };
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
  if (descr === undefined) return fail(`expected a type in the header, found ${excerpt(header.trim())}`);
  const [, order = "", kind = descr] = /^'([<>|=]?)(\w+(?:\[\w+\])?)'$/.exec(descr) ?? [];
  const type = Object.hasOwn(TYPES, kind) ? TYPES[kind] : undefined;
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
  return {
    shape,
    count,
    ...(type ? { type } : {}),
    kind,
    littleEndian: order !== ">",
    columnMajor: fortran === "True",
    offset,
  };
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
  const entries = zipEntries(bytes, file);
  const has = (...names: readonly string[]) =>
    names.every((name) => entries.some((entry) => entry.name === `${name}.npy`));
  if (has("format", "shape", "data") && (has("indices") || has("row", "col") || has("offsets"))) {
    throw new FileError(
      file,
      "expected arrays of numbers, found a sparse matrix of SciPy; save it by numpy.savez(path, x=matrix.toarray())",
    );
  }
  for (const { name, start, unpack } of entries) {
    if (!name.endsWith(".npy")) continue;
    const inside = `${file}/${name}`;
    arrays.set(name.slice(0, -4), storedNpy(() => start(NPY_START), unpack, inside));
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

/** An array to be written: numbers as they are stored, or texts. */
export interface WrittenArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | Uint8Array | Uint32Array | readonly string[];
}

/** NumPy's name of the type of an array's elements, and the bytes of one. */
function typeOf(values: WrittenArray["values"]): { readonly descr: string; readonly size: number } {
  if (values instanceof Uint8Array) return { descr: "|u1", size: 1 };
  if (values instanceof Uint32Array) return { descr: "<u4", size: 4 };
  if (values instanceof Float32Array) return { descr: "<f4", size: 4 };
  if (values instanceof Float64Array) return { descr: "<f8", size: 8 };
  const length = values.reduce((most, text) => Math.max(most, [...text].length), 1);
  return { descr: `<U${length}`, size: 4 * length };
}

/** Writes one element. */
function put(view: DataView, at: number, values: WrittenArray["values"], i: number): void {
  if (values instanceof Uint8Array) view.setUint8(at, values[i]);
  else if (values instanceof Uint32Array) view.setUint32(at, values[i], true);
  else if (values instanceof Float32Array) view.setFloat32(at, values[i], true);
  else if (values instanceof Float64Array) view.setFloat64(at, values[i], true);
  else [...values[i]].forEach((character, c) => view.setUint32(at + 4 * c, character.codePointAt(0)!, true));
}

/**
 * An .npy file of an array, version 1, little-endian, row-major.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function encodeNpy({ shape, values }: WrittenArray): Uint8Array<ArrayBuffer> {
  const { descr, size } = typeOf(values);
  return withHeader(`'${descr}'`, shape, values.length * size, (view, start) => {
    for (let i = 0; i < values.length; i++) put(view, start + size * i, values, i);
  });
}

/**
 * An .npy file of a structured array: a record for each row, with a field for each array of [N] or [N, K].
 *
 * @see https://numpy.org/doc/stable/user/basics.rec.html
 */
export function encodeNpyRecords(
  count: number,
  fields: Readonly<Record<string, WrittenArray>>,
): Uint8Array<ArrayBuffer> {
  let record = 0;
  const parts = Object.entries(fields).map(([name, { shape: [, width], values }]) => {
    const { descr, size } = typeOf(values);
    const part = { values, width: width ?? 1, size, at: record };
    record += part.width * size;
    const shape = width === undefined ? "" : `, (${width},)`;
    return { ...part, descr: `('${name.replace(/['\\]/g, "_")}', '${descr}'${shape})` };
  });
  const descr = `[${parts.map(({ descr }) => descr).join(", ")}]`;
  return withHeader(descr, [count], count * record, (view, start) => {
    for (const { values, width, size, at } of parts) {
      for (let i = 0; i < count * width; i++) {
        put(view, start + Math.floor(i / width) * record + at + i % width * size, values, i);
      }
    }
  });
}

function withHeader(
  descr: string,
  shape: readonly number[],
  size: number,
  fill: (view: DataView, start: number) => void,
): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': ${descr}, 'fortran_order': False, 'shape': (${tuple}), }`;
  // The data begin at a multiple of 64, and the header ends with a line feed.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const out = new Uint8Array(start + size);
  const view = new DataView(out.buffer);
  out.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  view.setUint16(8, start - 10, true);
  out.set(new TextEncoder().encode(text.padEnd(start - 11) + "\n"), 10);
  fill(view, start);
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
