/**
 * Reading what may come from anyone: sizes that files declare are held against what is there and against memory before
 * anything is allocated, and what is wrong is said in one line. This file knows no format and opens no file.
 *
 * @module
 */

/** What is wrong with a file: its name, what was expected, what was found. */
export class FileError extends Error {
  /** The name of the class. */
  override readonly name = "FileError";

  /**
   * What is wrong with a file, in words.
   *
   * @param file The path, or another name that tells which file it is.
   * @param message What was expected and what was found.
   */
  constructor(
    file: string,
    message: string,
    { cause, verb = "read" }: { readonly cause?: unknown; readonly verb?: "read" | "load" | "import" } = {},
  ) {
    super(`Cannot ${verb} "${file}": ${inOneLine(message)}`, { cause });
  }
}

/** Names out of files may hold anything: what would end the line, or mean something to a terminal, is written as JSON has it. */
function inOneLine(message: string): string {
  // deno-lint-ignore no-control-regex
  return message.replace(/[\u0000-\u001f\u007f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
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

/** So much is never asked about. */
const ALWAYS = 2 ** 24;

/** Where the host does not say (a page, or a program without the permission): half of a common machine. */
const UNKNOWN_MEMORY = 4 * 2 ** 30;

let availableMemory = (): number => UNKNOWN_MEMORY;

/**
 * Says how much memory there is: what files declare is held against it before it is allocated. Without it, 4 GiB.
 *
 * @param available Bytes that may be taken now; asked each time that it matters.
 */
export function setAvailableMemory(available: () => number | undefined): void {
  availableMemory = () => available() ?? UNKNOWN_MEMORY;
}

/** Bytes of memory that may be taken now, as far as that is known. */
export function memoryLeft(): number {
  return availableMemory();
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

/** The place of the first number that is not finite, or -1. */
export function firstNonFinite(values: ArrayLike<number>): number {
  // 0 times a finite number is 0, and nothing else is: one pass without a branch, since there is almost never anything to find.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i];
  if (sum === 0) return -1;
  return Array.prototype.findIndex.call(values, (value) => !Number.isFinite(value));
}

/**
 * @param what What they are and where: `latents to decode with "vae"`.
 * @throws {RangeError} If one is not finite.
 */
export function requireFinite(values: ArrayLike<number>, what: string): void {
  const place = firstNonFinite(values);
  if (place < 0) return;
  throw new RangeError(`Cannot use ${what}: expected finite numbers, found ${values[place]} at ${place}`);
}

/** @throws {RangeError} If it is no integer of 32 bits, which random numbers follow from. */
export function requireSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return;
  throw new RangeError(`Cannot use the seed ${seed}: expected an integer from 0 to ${2 ** 32 - 1}`);
}
