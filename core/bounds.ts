/**
 * Reading what may come from anyone: only files are read, sizes that they declare are held against what is there and
 * against memory before anything is allocated, and what is wrong is said in one line. This file knows no format.
 *
 * @module
 */

/** What is wrong with a file: its name, what was expected, what was found. */
export class FileError extends Error {
  override readonly name = "FileError";

  /**
   * @param file The path, or another name that tells which file it is.
   * @param message What was expected and what was found.
   */
  constructor(
    file: string,
    message: string,
    { cause, verb = "read" }: { readonly cause?: unknown; readonly verb?: "read" | "load" } = {},
  ) {
    super(`Cannot ${verb} "${file}": ${message}`, { cause });
  }
}

/** The largest size of a dimension, so that an index fits a signed integer of 32 bits. */
const LARGEST_DIMENSION = 2 ** 31 - 1;

/** Dimensions that an array may have, as in NumPy 1. */
const MOST_DIMENSIONS = 32;

/**
 * The number of elements of an array of a declared shape.
 *
 * @param found The shape as messages give it, where it is no list of numbers.
 * @throws {FileError} If a size is negative, no integer or too large, or there are too many.
 */
export function elementCount(shape: readonly number[], file: string, found?: string): number {
  if (shape.length > MOST_DIMENSIONS) {
    throw new FileError(file, `expected at most ${MOST_DIMENSIONS} dimensions, found ${shape.length}`);
  }
  const isSize = (size: number) => Number.isInteger(size) && size >= 0 && size <= LARGEST_DIMENSION;
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.every(isSize) && Number.isSafeInteger(count)) return count;
  throw new FileError(
    file,
    `expected a shape of integers from 0 to ${LARGEST_DIMENSION}, found [${found ?? shape.join(", ")}]`,
  );
}

/** What a task is taken to have where Deno may not say: half of a common machine. */
const UNKNOWN_MEMORY = 4 * 2 ** 30;

/** So much is never asked about. */
const ALWAYS = 2 ** 24;

/** Bytes that may be taken now. */
function availableMemory(): number {
  // The query asks nobody; the name is not in the types of every version.
  const sys = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(sys).state !== "granted") return UNKNOWN_MEMORY;
  return Deno.systemMemoryInfo().available;
}

/**
 * Holds a size against memory before it is allocated.
 *
 * @throws {FileError} If there is less.
 */
export function requireMemory(bytes: number, file: string, what: string): void {
  if (bytes <= ALWAYS) return;
  const available = availableMemory();
  if (bytes <= available) return;
  const mebibytes = (value: number) => `${Math.round(value / 2 ** 20).toLocaleString("en-US")} MiB`;
  throw new FileError(
    file,
    `expected what fits into memory, ${mebibytes(available)}, found ${what} of ${mebibytes(bytes)}`,
  );
}

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

/** As {@linkcode readWhole}; undefined where there is nothing. */
export async function readIfThere(path: string, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return await statIfThere(path) && await readWhole(path, signal);
}

/** Characters of a file that a message repeats. */
const EXCERPT = 80;

/** A value out of a file as a message gives it: the beginning of its JSON. A whole text or list may be as long as its file. */
export function excerpt(value: unknown): string {
  const text = beginning(value, 0);
  return text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
}

function beginning(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, EXCERPT + 1));
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "nothing";
  if (depth === 4) return "...";
  if (Array.isArray(value)) {
    return `[${value.slice(0, EXCERPT / 2).map((inner) => beginning(inner, depth + 1)).join(",")}]`;
  }
  const parts: string[] = [];
  for (const key in value) {
    if (parts.length === EXCERPT / 4) break;
    parts.push(`${beginning(key, depth)}:${beginning((value as Record<string, unknown>)[key], depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}
