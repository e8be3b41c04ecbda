/**
 * Tensors and a few strings as safetensors, in memory. What a checkpoint means (which tensors, which strings) is its caller's
 * business.
 *
 * The format: 8 bytes with the length of the header (little-endian), the header in JSON, padded with spaces so that the
 * data is aligned, then every tensor without a gap. Python's `safetensors` reads and writes the same.
 *
 * @see https://huggingface.co/docs/safetensors#format
 * @module
 */

import { elementCount, excerpt, FileError } from "../bounds.ts";
import { isRecord, parseJson } from "../json.ts";

/** A tensor in memory: F32, U32 or U8, row-major. */
export interface CheckpointTensor {
  /** The size of every dimension; [] for a scalar. */
  readonly shape: readonly number[];
  /** As many values as the product of the shape. */
  readonly data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

/** What {@linkcode decodeSafetensors} gives: tensors with memory of their own, and the strings. */
export interface Safetensors {
  /** Tensors by name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /** Strings by name; none where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The types of element, by their name in the header. Every platform of Deno is little-endian, as the format is. */
const DTYPES = { F32: Float32Array, U32: Uint32Array, U8: Uint8Array } as const;

type Dtype = keyof typeof DTYPES;

/** A type of element that is read as float32. */
export interface ElementType {
  /** Bytes of an element. */
  readonly bytes: number;
  /** The elements that bytes stand for. */
  read(bytes: ArrayBuffer): Float32Array<ArrayBuffer>;
}

const ALIGNMENT = 8;
const METADATA = "__metadata__";

/** Bytes that a header may have: the limit of the original implementation. */
const LARGEST_HEADER = 100_000_000;

function dtypeOf(data: CheckpointTensor["data"]): Dtype {
  if (data instanceof Float32Array) return "F32";
  return data instanceof Uint32Array ? "U32" : "U8";
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Order by code unit, the same on every machine. */
function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Writes tensors and strings as safetensors. The bytes depend on the names and values alone, not on their order.
 *
 * @param tensors Tensors by name.
 * @param metadata Strings by name.
 * @throws {RangeError} If a tensor has another number of values than its shape, or the name `__metadata__`.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  // Wide elements first, so that each tensor starts at a multiple of its element's size.
  const ordered = [...tensors].sort((a, b) =>
    b[1].data.BYTES_PER_ELEMENT - a[1].data.BYTES_PER_ELEMENT || byName(a, b)
  );
  const header: [string, unknown][] = [[METADATA, Object.fromEntries(Object.entries(metadata).sort(byName))]];
  let end = 0;
  for (const [name, { shape, data }] of ordered) {
    if (name === METADATA) {
      throw new RangeError(`Cannot write tensor "${name}": the format keeps this name for strings`);
    }
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count(shape) !== data.length) {
      throw new RangeError(
        `Cannot write tensor "${name}": expected ${count(shape)} values for shape [${shape}], found ${data.length}`,
      );
    }
    header.push([name, { dtype: dtypeOf(data), shape, data_offsets: [end, end += data.byteLength] }]);
  }

  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(" ".charCodeAt(0), 8, 8 + length);
  bytes.set(json, 8);
  let offset = 8 + length;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads tensors and strings from safetensors.
 *
 * @param bytes The whole file.
 * @param file The name of the file, for messages.
 * @param others Types of element that are taken too, by their names in the header.
 * @throws {FileError} If the file is cut short, damaged, or holds another type of element than F32, U32 and U8.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file: string,
  others: Readonly<Record<string, ElementType>> = {},
): Safetensors {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  if (bytes.length < 8) fail(`expected 8 bytes with the length of the header, found ${bytes.length} (cut short?)`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    fail(`expected a header of at most ${LARGEST_HEADER} bytes, found a length of ${length} (not a safetensors file?)`);
  }
  if (bytes.length < 8 + length) {
    fail(`expected a header of ${length} bytes, found ${bytes.length - 8} (cut short?)`);
  }
  const data = bytes.subarray(8 + length);

  const header = parseJson(bytes.subarray(8, 8 + length), file, "a header in JSON");
  if (!isRecord(header)) return fail("expected a header with one entry per tensor, found another kind of JSON");
  const { [METADATA]: metadata = {}, ...described } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    fail(`expected ${METADATA} to map names to strings, found ${excerpt(metadata)}`);
  }

  const entries = Object.entries(described).map(([name, entry]) => {
    if (!isEntry(entry)) {
      return fail(`expected dtype, shape and data_offsets of tensor "${name}", found ${excerpt(entry)}`);
    }
    const { dtype, shape, data_offsets: [begin, end] } = entry;
    elementCount(shape, file);
    const other = Object.hasOwn(others, dtype) ? others[dtype] : undefined;
    if (!other && !isDtype(dtype)) {
      return fail(
        `expected tensor "${name}" to be one of ${Object.keys({ ...DTYPES, ...others }).join(", ")}, found ${
          excerpt(dtype).slice(1, -1)
        }`,
      );
    }
    const size = count(shape) * (other?.bytes ?? DTYPES[dtype as Dtype].BYTES_PER_ELEMENT);
    if (end - begin !== size) {
      fail(`expected ${size} bytes for tensor "${name}" (${dtype} [${shape}]), found offsets ${begin} to ${end}`);
    }
    const read = other?.read ?? ((buffer: ArrayBuffer) => new DTYPES[dtype as Dtype](buffer));
    return { name, shape, begin, end, read };
  });

  // Without gap or overlap, in some order, up to the last byte of the file.
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      fail(
        `expected tensor "${name}" to start at offset ${covered}, found ${begin} (${
          begin < covered ? "an overlap" : "a gap"
        })`,
      );
    }
    if (end > data.length) {
      fail(
        `expected the data of tensor "${name}" to end at offset ${end}, found ${data.length} bytes of data (cut short?)`,
      );
    }
    covered = end;
  }
  if (covered !== data.length) {
    fail(`expected ${covered} bytes of data, found ${data.length - covered} more after them`);
  }

  const tensors = entries.map(({ name, shape, begin, end, read }) => {
    // Copied: the data of other writers may not be aligned, and a view would keep the whole file alive.
    return [name, { shape, data: read(new Uint8Array(data.subarray(begin, end)).buffer) }] as const;
  });
  return { tensors: new Map(tensors), metadata: metadata as Record<string, string> };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && x >= 0);
}

function isDtype(value: string): value is Dtype {
  return Object.hasOwn(DTYPES, value);
}

function isEntry(value: unknown): value is { dtype: string; shape: readonly number[]; data_offsets: [number, number] } {
  return isRecord(value) && typeof value.dtype === "string" && isCounts(value.shape) &&
    isCounts(value.data_offsets) && value.data_offsets.length === 2;
}
