/**
 * Decoded images kept for the next time: as long as a folder's files are the ones that they were decoded from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type ByteCache, type Dataset, features } from "../core/dataset.ts";
import type { RowReader } from "../core/row_reader.ts";
import { fileRows } from "./file_rows.ts";
import { fillAtomically, unwritten, writeAll } from "./write.ts";

/** What says that rows are of these files: anything else is decoded anew. */
export interface ImagesKey {
  /** The folder and the settings: what is kept for one replaces what was kept for it before. */
  readonly source: string;
  /** Every file, with its size and when it was written. */
  readonly files: string;
}

/** Rows of bytes, and room before them for what is kept beside. */
export interface DecodedImages {
  readonly shape: Dataset["shape"];
  readonly values: Uint8Array<ArrayBuffer>;
}

const MAGIC = new TextEncoder().encode("elbo images 2\n\0\0");
/** The magic, the digest of the files, the count and three sizes, and the digest of the values. */
const HEADER = MAGIC.length + 32 + 16 + 32;

/** Bytes of which the digest is taken at a time. */
const PIECE = 2 ** 24;

function sha256(bytes: Uint8Array): Uint8Array {
  const hash = createHash("sha256");
  for (let from = 0; from < bytes.length; from += PIECE) hash.update(bytes.subarray(from, from + PIECE));
  return hash.digest();
}

const digest = (text: string) => sha256(new TextEncoder().encode(text));
const nameOf = ({ source }: ImagesKey) => `images-${digest(source).toHex().slice(0, 32)}`;
const equal = (a: Uint8Array, b: Uint8Array) => a.every((value, i) => value === b[i]);

/** Room for `count` images. */
export function roomForImages(shape: Dataset["shape"], count: number): DecodedImages {
  return { shape, values: new Uint8Array(HEADER + count * features(shape)).subarray(HEADER) };
}

/** What stands before the values of `count` images: but for the last 32 bytes, the digest of the values. */
function headerOf(key: ImagesKey, shape: Dataset["shape"], count: number): Uint8Array {
  const header = new Uint8Array(HEADER);
  const view = new DataView(header.buffer);
  header.set(MAGIC);
  header.set(digest(key.files), MAGIC.length);
  [count, ...shape].forEach((size, i) => view.setUint32(MAGIC.length + 32 + 4 * i, size, true));
  return header;
}

const isHeader = (bytes: Uint8Array, expected: Uint8Array) =>
  bytes.length >= HEADER && equal(expected.subarray(0, HEADER - 32), bytes);

/** The rows that were kept of these files, `count` images; undefined where there are none, or they are damaged. */
export async function keptImages(
  cache: ByteCache,
  key: ImagesKey,
  shape: Dataset["shape"],
  count: number,
): Promise<DecodedImages | undefined> {
  const bytes = await cache.read(nameOf(key)) as Uint8Array<ArrayBuffer> | undefined;
  if (!bytes || !isHeader(bytes, headerOf(key, shape, count))) return undefined;
  const values = bytes.subarray(HEADER);
  if (values.length !== count * features(shape)) return undefined;
  return equal(sha256(values), bytes.subarray(HEADER - 32, HEADER)) ? { shape, values } : undefined;
}

/**
 * Keeps rows from {@linkcode roomForImages}. A full disk, or a folder that may not be written, costs time at the next loading and nothing
 * else.
 */
export async function keepImages(cache: ByteCache, key: ImagesKey, { shape, values }: DecodedImages): Promise<void> {
  const bytes = new Uint8Array(values.buffer);
  bytes.set(headerOf(key, shape, values.length / features(shape)));
  bytes.set(sha256(values), HEADER - 32);
  await cache.write(nameOf(key), bytes).catch(() => {});
}

/**
 * The rows of `count` images, which stay in the file of the cache: as they were kept, or decoded into it.
 *
 * @param decode Decodes all, and gives rows to `put` as they come, in any order.
 * @throws {Error} If they cannot be written.
 */
export async function imagesInFile(
  cache: Required<ByteCache>,
  key: ImagesKey,
  shape: Dataset["shape"],
  count: number,
  decode: (put: (first: number, rows: Uint8Array) => void) => Promise<void>,
): Promise<RowReader> {
  const path = await cache.path(nameOf(key));
  const columns = features(shape);
  const header = headerOf(key, shape, count);
  if (!await isKept(path, header, count * columns)) {
    await fillAtomically(path, async (file) => {
      await decode((first, rows) => {
        try {
          file.seekSync(HEADER + first * columns, Deno.SeekMode.Start);
          for (let done = 0; done < rows.length;) done += file.writeSync(rows.subarray(done));
        } catch (cause) {
          unwritten(path, cause);
        }
      });
      await finish(file, header).catch((cause) => unwritten(path, cause));
    });
  }
  return fileRows({ path, offset: HEADER, count, columns, type: "u8", littleEndian: true });
}

/** Writes the header, with the digest of the values that stand behind it by now. */
async function finish(file: Deno.FsFile, header: Uint8Array): Promise<void> {
  header.set(await sha256From(file), HEADER - 32);
  await file.seek(0, Deno.SeekMode.Start);
  await writeAll(file, header);
}

/** Whether a file holds images of this header, as they were written. */
async function isKept(path: string, header: Uint8Array, length: number): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const start = new Uint8Array(HEADER);
    for (let done = 0; done < HEADER;) {
      const read = await file.read(start.subarray(done));
      if (read === null) return false;
      done += read;
    }
    if (!isHeader(start, header) || (await file.stat()).size !== HEADER + length) return false;
    return equal(await sha256From(file), start.subarray(HEADER - 32));
  } catch {
    return false;
  }
}

/** The digest of the values of a file. */
async function sha256From(file: Deno.FsFile): Promise<Uint8Array> {
  await file.seek(HEADER, Deno.SeekMode.Start);
  const hash = createHash("sha256");
  const piece = new Uint8Array(2 ** 20);
  for (let read; (read = await file.read(piece)) !== null;) hash.update(piece.subarray(0, read));
  return hash.digest();
}
