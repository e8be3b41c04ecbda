/**
 * Files that survive: tensors and a few strings as safetensors, and a write that leaves either the old file or the new
 * one. What a checkpoint means (which tensors, which strings) is its caller's business.
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
 * @throws {FileError} If the file is cut short, damaged, or holds another type of element than F32, U32 and U8.
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
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
    if (!isDtype(dtype)) {
      return fail(
        `expected tensor "${name}" to be one of ${Object.keys(DTYPES).join(", ")}, found ${
          excerpt(dtype).slice(1, -1)
        }`,
      );
    }
    const size = count(shape) * DTYPES[dtype].BYTES_PER_ELEMENT;
    if (end - begin !== size) {
      fail(`expected ${size} bytes for tensor "${name}" (${dtype} [${shape}]), found offsets ${begin} to ${end}`);
    }
    return { name, dtype, shape, begin, end };
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

  const tensors = entries.map(({ name, dtype, shape, begin, end }) => {
    // Copied: the data of other writers may not be aligned, and a view would keep the whole file alive.
    return [name, { shape, data: new DTYPES[dtype](new Uint8Array(data.subarray(begin, end)).buffer) }] as const;
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

/**
 * Writes a file so that its path holds the whole old content or the whole new one, whenever the program, the disk or
 * the power fails: a temporary file in the same folder is written, flushed and renamed, and the folder is flushed. Only
 * a kill in the middle leaves the temporary file behind, one of {@linkcode temporaryNames}. A symbolic link at the path is replaced, and
 * what it points to is left alone.
 *
 * @param path Where; a file there is replaced.
 * @param bytes The whole content.
 * @throws {Error} If it cannot be written (no such folder, no permission, disk full). The old file is as it was, and
 * the cause is in the message and in `cause`.
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  let temporary: string | undefined;
  try {
    const { name, file } = await openTemporary(path);
    temporary = name;
    await writeFlushed(file, bytes);
    await Deno.rename(temporary, path);
  } catch (cause) {
    if (temporary) await Deno.remove(temporary).catch(() => {});
    const reason = cause instanceof Error ? cause.message : cause;
    throw new Error(`Cannot write "${path}": ${reason}; what was there is unchanged`, { cause });
  }
  await syncFolder(path.replace(/[^/\\]*$/, "") || ".");
}

/**
 * What the temporary files of {@linkcode writeFileAtomically} may be called: as many names as files of one path can be under way at a
 * time, or left behind. They are known beforehand, so that a program can be permitted to write just these.
 */
export function temporaryNames(path: string): string[] {
  return Array.from({ length: 8 }, (_, i) => `${path}.${i}.tmp`);
}

/** Makes the first temporary file that is not there yet. */
async function openTemporary(path: string): Promise<{ readonly name: string; readonly file: Deno.FsFile }> {
  const names = temporaryNames(path);
  for (const name of names) {
    try {
      return { name, file: await Deno.open(name, { write: true, createNew: true }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
  throw new Error(`expected one of ${names.join(", ")} not to be there; remove what a killed program left`);
}

async function writeFlushed(opened: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  using file = opened;
  for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
  await file.sync();
}

/** Makes a rename last through a power failure. Where a folder cannot be opened (Windows), the rename itself is all there is. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using directory = await Deno.open(folder, { read: true });
    await directory.sync();
  } catch {
    // The file is complete and in its place; only how soon the disk knows of it is open.
  }
}
