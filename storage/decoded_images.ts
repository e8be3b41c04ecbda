/**
 * Decoded images kept for the next time: as long as a folder's files are the ones that they were decoded from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type ByteCache, type Dataset, features } from "../core/dataset.ts";

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
/** The magic, the digest of the files, the count and three sizes, and the digest of these and of the values. */
const HEADER = MAGIC.length + 32 + 16 + 32;

/** Bytes of which the digest is taken at a time. */
const PIECE = 2 ** 24;

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const bytes of parts) {
    for (let from = 0; from < bytes.length; from += PIECE) hash.update(bytes.subarray(from, from + PIECE));
  }
  return hash.digest();
}

const digest = (text: string) => sha256(new TextEncoder().encode(text));
const nameOf = ({ source }: ImagesKey) => `images-${digest(source).toHex().slice(0, 32)}`;
const equal = (a: Uint8Array, b: Uint8Array) => a.every((value, i) => value === b[i]);

/** Room for `count` images. */
export function roomForImages(shape: Dataset["shape"], count: number): DecodedImages {
  return { shape, values: new Uint8Array(HEADER + count * features(shape)).subarray(HEADER) };
}

/** The rows that were kept of these files, `count` images; undefined where there are none, or they are damaged. */
export async function keptImages(cache: ByteCache, key: ImagesKey, count: number): Promise<DecodedImages | undefined> {
  const bytes = await cache.read(nameOf(key)) as Uint8Array<ArrayBuffer> | undefined;
  if (!bytes || bytes.length < HEADER || !equal(MAGIC, bytes)) return undefined;
  const at = MAGIC.length;
  if (!equal(digest(key.files), bytes.subarray(at, at + 32))) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rows, height, width, channels] = [0, 4, 8, 12].map((offset) => view.getUint32(at + 32 + offset, true));
  const shape = [height, width, channels] as const;
  const values = bytes.subarray(HEADER);
  if (rows !== count || !shape.every((size) => size > 0) || values.length !== count * features(shape)) return undefined;
  const sum = sha256(bytes.subarray(at + 32, at + 48), values);
  return equal(sum, bytes.subarray(at + 48, HEADER)) ? { shape, values } : undefined;
}

/**
 * Keeps rows from {@linkcode roomForImages}. A full disk, or a folder that may not be written, costs time at the next loading and nothing
 * else.
 */
export async function keepImages(cache: ByteCache, key: ImagesKey, { shape, values }: DecodedImages): Promise<void> {
  const bytes = new Uint8Array(values.buffer);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes.set(digest(key.files), MAGIC.length);
  const sizes = [values.length / features(shape), ...shape];
  sizes.forEach((size, i) => view.setUint32(MAGIC.length + 32 + 4 * i, size, true));
  bytes.set(sha256(bytes.subarray(MAGIC.length + 32, MAGIC.length + 48), values), MAGIC.length + 48);
  await cache.write(nameOf(key), bytes).catch(() => {});
}
