/**
 * Files read whole or piece by piece: only what is a file is read, and no more than fits into memory. This file knows no format.
 *
 * @module
 */

import { FileError, requireMemory, setAvailableMemory } from "../core/bounds.ts";
import type { PiecewiseFile } from "../datasets/text_lines.ts";

setAvailableMemory(() => {
  // The query asks nobody; the name is not in the types of every version.
  const sys = { name: "sys", kind: "systemMemoryInfo" } as const;
  return Deno.permissions.querySync(sys).state === "granted" ? Deno.systemMemoryInfo().available : undefined;
});

/**
 * What a path leads to, links followed; undefined where there is nothing.
 *
 * @throws {FileError} If the file system does not tell.
 */
export async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return undefined;
    throw systemFailure(path, cause);
  }
}

/** The error of a path that the system refuses: no permission, a circle of links, a name too long. */
export function systemFailure(path: string, cause: unknown): FileError {
  const reason = cause instanceof Error ? cause.message.split("\n", 1)[0].replace(/:? ?\b\w+ '.*$/, "") : String(cause);
  return new FileError(path, `expected a file or folder that can be read, found: ${reason || "an error"}`, { cause });
}

/** What is no file, in a word. */
function kindOf(info: Deno.FileInfo): string {
  if (info.isDirectory) return "a folder";
  if (info.isFifo) return "a pipe";
  if (info.isSocket) return "a socket";
  return info.isCharDevice || info.isBlockDevice ? "a device" : "something else";
}

/**
 * The size of a file, if it is one: a device may have no end, and a pipe no beginning.
 *
 * @throws {FileError} If there is no file.
 */
export async function fileSize(path: string): Promise<number> {
  const info = await statIfThere(path);
  if (info?.isFile) return info.size;
  throw new FileError(path, `expected a file, found ${info ? kindOf(info) : "nothing there"}`);
}

/**
 * The whole content of a file that fits into memory.
 *
 * @throws {FileError} If there is none, or it is no file.
 */
export async function readWhole(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  requireMemory(await fileSize(path), path, "a file");
  try {
    return await Deno.readFile(path, { signal });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw systemFailure(path, cause);
  }
}

/**
 * The first bytes of a file, `most` of them or all.
 *
 * @throws {FileError} If there is no file.
 */
export async function readStart(path: string, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.min(most, await fileSize(path)));
  let done = 0;
  for await (const piece of piecesOf(path, undefined)) {
    const some = piece.subarray(0, bytes.length - done);
    bytes.set(some, done);
    if ((done += some.length) === bytes.length) break;
  }
  return bytes;
}

/** As {@linkcode readWhole}; undefined where there is nothing. */
export async function readIfThere(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return await statIfThere(path) && await readWhole(path, signal);
}

/**
 * A file to be read piece by piece.
 *
 * @throws {FileError} If there is no file.
 */
export async function piecewise(path: string, signal?: AbortSignal): Promise<PiecewiseFile> {
  return { path, size: await fileSize(path), pieces: () => piecesOf(path, signal) };
}

async function* piecesOf(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path).catch((cause) => {
    throw systemFailure(path, cause);
  });
  const buffer = new Uint8Array(1 << 16);
  for (let read: number | null; (read = await file.read(buffer)) !== null;) {
    signal?.throwIfAborted();
    yield buffer.subarray(0, read);
  }
}

/** As {@linkcode isFile}, for those who cannot wait. */
export function isFileSync(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether there is a file of that name, or a link to one. */
export async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}
