/**
 * Unpacking within bounds, and checksums: the host's zlib is told how much may come out, and checks the sums of gzip and zlib
 * streams itself. A DecompressionStream may take a stream that is cut short (Deno's does).
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { builtin, builtinIfThere } from "./builtin.ts";

type Unpack = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength?: number; readonly chunkSize?: number; readonly finishFlush?: number },
) => Uint8Array;

/** What is used of the host's zlib. */
interface Zlib {
  readonly gunzipSync: Unpack;
  readonly inflateSync: Unpack;
  readonly inflateRawSync: Unpack;
  readonly constants: { readonly Z_SYNC_FLUSH: number };
  crc32(bytes: Uint8Array): number;
}

const zlib = (): Zlib => builtin("zlib");

const UNPACK = { gzip: "gunzipSync", deflate: "inflateSync", "deflate-raw": "inflateRawSync" } as const;

/** How bytes are packed: gzip, zlib, or deflate without a frame. */
export type Packing = keyof typeof UNPACK;

/** Bytes that deflate makes of one at most. */
const MOST = 1032;

const plain = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, length);

/**
 * Unpacks bytes that declare how many they are.
 *
 * @param size The length that they must have, held against the packed bytes and against memory before any is unpacked.
 * @throws {FileError} If they are damaged or have another length.
 */
export function inflate(
  bytes: Uint8Array<ArrayBuffer>,
  packing: Packing,
  size: number,
  file: string,
): Uint8Array<ArrayBuffer> {
  const fail = (found: string, cause?: unknown): never => {
    throw new FileError(file, `expected ${size} bytes when unpacked, found ${found}`, { cause });
  };
  if (size > bytes.length * MOST) fail(`${bytes.length} packed ones, too few for that (cut short?)`);
  // Its parts, and then the whole.
  requireMemory(2 * size, file, "packed data");
  let unpacked: Uint8Array<ArrayBuffer>;
  try {
    const chunkSize = Math.min(Math.max(size, 64), 2 ** 20);
    unpacked = plain(zlib()[UNPACK[packing]](bytes, { maxOutputLength: Math.max(size, 1), chunkSize }));
  } catch (cause) {
    return fail(damage(cause), cause);
  }
  return unpacked.length === size ? unpacked : fail(`${unpacked.length}`);
}

/**
 * As {@linkcode inflate}, by the stream that every host has, pages too.
 *
 * @throws {FileError} If they are damaged or have another length.
 */
export async function inflateStream(
  bytes: Uint8Array<ArrayBuffer>,
  packing: Packing,
  size: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const fail = (found: string, cause?: unknown): never => {
    throw new FileError(file, `expected ${size} bytes when unpacked, found ${found}`, { cause });
  };
  if (size > bytes.length * MOST) fail(`${bytes.length} packed ones, too few for that (cut short?)`);
  requireMemory(2 * size, file, "packed data");
  const unpacked = new Uint8Array(size);
  let length = 0;
  const pieces = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(packing)).getReader();
  for (;;) {
    const { done, value } = await pieces.read().catch((cause) => fail("data that do not unpack (damaged?)", cause));
    if (done) break;
    if (length + value.length > size) {
      await pieces.cancel();
      fail("more");
    }
    unpacked.set(value, length);
    length += value.length;
  }
  return length === size ? unpacked : fail(`${length} (cut short?)`);
}

/** Unpacks gzip by {@linkcode inflateStream}, as many bytes as its last four say, whose checksum is before them. */
export async function gunzipStream(bytes: Uint8Array<ArrayBuffer>, file: string): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.length < 18) throw new FileError(file, `expected a gzip file, found ${bytes.length} bytes (cut short?)`);
  const end = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 8, 8);
  const unpacked = await inflateStream(bytes, "gzip", end.getUint32(4, true), file);
  requireCrc32(unpacked, end.getUint32(0, true), file, "the content");
  return unpacked;
}

function damage(cause: unknown): string {
  const { code, message } = cause as { readonly code?: string; readonly message: string };
  if (code === "ERR_BUFFER_TOO_LARGE") return "more";
  if (/incorrect (data|length) check/.test(message)) return "data that do not fit their checksum (damaged?)";
  return code === "Z_BUF_ERROR" ? "packed data without their end (cut short?)" : "data that do not unpack (damaged?)";
}

/** Unpacks gzip, as many bytes as its last four say; the file's name is for the message. */
export function gunzip(bytes: Uint8Array<ArrayBuffer>, file: string): Uint8Array<ArrayBuffer> {
  if (bytes.length < 18) {
    throw new FileError(file, `expected a gzip file, found ${bytes.length} bytes (cut short?)`);
  }
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true);
  return inflate(bytes, "gzip", size, file);
}

/**
 * The first bytes of what is packed, from as few of the packed ones as they need.
 *
 * @returns `length` bytes or more; fewer where there are no more.
 * @throws {FileError} If they are damaged.
 */
export function inflateStart(
  bytes: Uint8Array<ArrayBuffer>,
  packing: Packing,
  length: number,
  file: string,
): Uint8Array<ArrayBuffer> {
  const { constants, [UNPACK[packing]]: unpack } = zlib();
  for (let packed = 256;; packed *= 8) {
    let start: Uint8Array<ArrayBuffer>;
    try {
      start = plain(unpack(bytes.subarray(0, packed), { finishFlush: constants.Z_SYNC_FLUSH }));
    } catch (cause) {
      throw new FileError(file, `expected packed data, found ${damage(cause)}`, { cause });
    }
    if (start.length >= length || packed >= bytes.length) return start;
  }
}

/** What a byte does to a CRC-32 of the polynomial 0xedb88320. */
const CRC_OF_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** CRC-32, as in zip and PNG. */
export function crc32(bytes: Uint8Array): number {
  return builtinIfThere<Zlib>("zlib")?.crc32(bytes) ?? crc32ByTable(bytes);
}

/** The same where the host has none: in a page. */
export function crc32ByTable(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = sum >>> 8 ^ CRC_OF_BYTE[(sum ^ byte) & 0xff];
  return ~sum >>> 0;
}

/**
 * @param what What the checksum is of.
 * @throws {FileError} If the bytes have another checksum (CRC-32 of zip and PNG).
 */
export function requireCrc32(bytes: Uint8Array, expected: number, file: string, what: string): void {
  const found = crc32(bytes);
  if (found === expected) return;
  const hex = (sum: number) => sum.toString(16).padStart(8, "0");
  throw new FileError(file, `expected the checksum ${hex(expected)} of ${what}, found ${hex(found)} (damaged?)`);
}
