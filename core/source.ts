/**
 * Bytes as a program or a page has them: in memory, in a file that somebody chose or dropped, or in what an address answered.
 *
 * @module
 */

import { FileError, requireMemory } from "./bounds.ts";

/** What bytes are taken from. A `File` is a `Blob` with a name. */
export type ByteSource = Uint8Array<ArrayBufferLike> | ArrayBuffer | Blob | Response;

/** The name of a source, for messages; undefined where it has none. */
export function nameOf(source: ByteSource): string | undefined {
  if (source instanceof Response) return source.url.replace(/[?#].*$/, "").replace(/^.*\//, "") || undefined;
  return "name" in source && typeof source.name === "string" ? source.name : undefined;
}

/**
 * All bytes of a source; those in memory are not copied.
 *
 * @param file The name, for messages.
 * @throws {FileError} If an address did not answer with a file, or there is more than fits into memory.
 */
export async function readBytes(source: ByteSource, file: string): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof Uint8Array) {
    const { buffer, byteOffset, length } = source;
    return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : Uint8Array.from(source);
  }
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Blob) requireMemory(source.size, file, "a file");
  else {
    if (!source.ok) {
      throw new FileError(file, `expected a file, found the answer ${source.status} ${source.statusText}`.trim());
    }
    requireMemory(Number(source.headers.get("content-length") ?? 0), file, "a file");
  }
  return new Uint8Array(await source.arrayBuffer());
}
