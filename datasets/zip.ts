/**
 * Zip archives: what is in them by their directory, unpacked one by one when it is asked for. Entries are stored or
 * deflated, below 4 GiB, and not encrypted; they may not overlap. This file parses bytes that are in memory.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * @module
 */

import { excerpt, FileError } from "../core/bounds.ts";
import { inflate, inflateStart, inflateStream, requireCrc32 } from "./packed.ts";

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Its first bytes, `length` of them or more, or all; the checksum is not looked at. */
  start(length: number): Uint8Array<ArrayBuffer>;
  /** Its content, whose checksum fits. */
  unpack(): Uint8Array<ArrayBuffer>;
  /** The same, on any host. */
  unpackStream(): Promise<Uint8Array<ArrayBuffer>>;
  /** Bytes of its content, as the archive declares them. */
  readonly size: number;
}

/** As long as the record at the end can be: 22 bytes and a comment. */
const LONGEST_END = 22 + 0xffff;

/**
 * The entries of an archive.
 *
 * @throws {FileError} If it is none, or is damaged.
 */
export function zipEntries(bytes: Uint8Array<ArrayBuffer>, file: string): ZipEntry[] {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const damaged = (found: string) => fail(`expected a zip archive, found a damaged one: ${found}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  if (bytes.length < 4 || view.getUint16(0) !== 0x504b) fail("expected a zip archive, found something else");
  let end = bytes.length - 22;
  while (end >= 0 && u32(end) !== 0x06054b50) {
    if (--end < bytes.length - LONGEST_END) end = -1;
  }
  if (end < 0) fail("expected a zip archive, found one without its directory (cut short?)");

  const [count, length, directory] = [u16(end + 10), u32(end + 12), u32(end + 16)];
  if (count === 0xffff || directory === 0xffffffff) fail("expected an archive below 4 GiB, found a larger one");
  if (directory + length > end) damaged(`a directory of ${length} bytes at ${directory}, which ends at ${end}`);
  const places: { readonly name: string; readonly from: number; readonly to: number }[] = [];
  const entries = new Map<string, ZipEntry>();
  let at = directory;
  for (let n = 0; n < count; n++) {
    if (at + 46 > end || u32(at) !== 0x02014b50) damaged(`${n} of ${count} entries in its directory`);
    const [flags, method] = [u16(at + 8), u16(at + 10)];
    const [sum, packed, size, local] = [u32(at + 16), u32(at + 20), u32(at + 24), u32(at + 42)];
    const next = at + 46 + u16(at + 28) + u16(at + 30) + u16(at + 32);
    if (next > end) damaged(`${n} of ${count} entries in its directory`);
    const named = bytes.subarray(at + 46, at + 46 + u16(at + 28));
    const name = new TextDecoder().decode(named);
    at = next;
    if ([packed, size, local].includes(0xffffffff)) fail(`expected less than 4 GiB, found more in ${excerpt(name)}`);
    if (entries.has(name)) damaged(`two entries called ${excerpt(name)}`);
    if (local + 30 > directory || u32(local) !== 0x04034b50) damaged(`no entry ${excerpt(name)} at ${local}`);
    const start = local + 30 + u16(local + 26) + u16(local + 28);
    if (start + packed > directory) damaged(`${excerpt(name)} beyond its directory`);
    const again = bytes.subarray(local + 30, local + 30 + u16(local + 26));
    if (again.length !== named.length || again.some((byte, i) => byte !== named[i]) || u16(local + 8) !== method) {
      damaged(`another entry at ${local} than ${excerpt(name)}`);
    }
    places.push({ name, from: local, to: start + packed });

    const inside = `${file}/${name}`;
    const data = () => {
      if ((flags | u16(local + 6)) & 1) throw new FileError(inside, "expected no encryption, found an encrypted entry");
      if (method !== 0 && method !== 8) {
        throw new FileError(inside, `expected an entry stored or deflated, found the method ${method}`);
      }
      if (method === 0 && packed !== size) {
        throw new FileError(inside, `expected ${size} bytes stored, found ${packed}`);
      }
      return bytes.subarray(start, start + packed);
    };
    const checked = (content: Uint8Array<ArrayBuffer>) => {
      requireCrc32(content, sum, inside, "the entry");
      return content;
    };
    entries.set(name, {
      name,
      size,
      start: (length) =>
        method === 0 ? data().subarray(0, length) : inflateStart(data(), "deflate-raw", length, inside),
      unpack: () => checked(method === 0 ? data() : inflate(data(), "deflate-raw", size, inside)),
      unpackStream: async () =>
        checked(method === 0 ? data() : await inflateStream(data(), "deflate-raw", size, inside)),
    });
  }
  places.sort((a, b) => a.from - b.from || a.to - b.to);
  for (const [i, { name, from }] of places.entries()) {
    if (i > 0 && from < places[i - 1].to) damaged(`${excerpt(name)} overlaps ${excerpt(places[i - 1].name)}`);
  }
  return [...entries.values()];
}
