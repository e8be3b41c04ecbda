/**
 * What JSON out of a file must be, as small checks that are put together. Each says in words what was expected and found.
 *
 * ```ts ignore
 * const point = fields({ x: finite, y: finite, name: optional(text) });
 * point({ x: 1, y: null }, "the point"); // "expected y to be a finite number, found null"
 * ```
 *
 * @module
 */

import { excerpt, FileError } from "./bounds.ts";

/** Undefined for a value that is as it should be, else what is wrong. */
export type Check = (value: unknown, name: string) => string | undefined;

const kind = (expected: string, fits: (value: unknown) => boolean): Check => (value, name) =>
  fits(value) ? undefined : `expected ${name} to be ${expected}, found ${excerpt(value)}`;

/** An object that is neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text of Unicode: half a surrogate pair can be in no path. */
export const text: Check = kind("text", (value) => typeof value === "string" && value.isWellFormed());

/** A number; JSON has no NaN, but 1e999 is infinite. */
export const finite: Check = kind("a finite number", Number.isFinite);

/** A finite number that plots can be made of: their axes do not divide what is next to nothing. */
export const measure: Check = kind(
  "a finite number",
  (value) => typeof value === "number" && Number.isFinite(value) && (value === 0 || Math.abs(value) >= 1e-300),
);

/** An integer. */
export const whole = (from: number, to: number): Check =>
  kind(
    `an integer from ${from} to ${to}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to,
  );

/** true or false */
export const flag: Check = kind("true or false", (value) => typeof value === "boolean");

/** One of some words. */
export const oneOf = (...words: readonly string[]): Check =>
  kind(`one of ${words.join(", ")}`, (value) => words.some((word) => word === value));

/** What may be left out. */
export const optional = (check: Check): Check => (value, name) => value === undefined ? undefined : check(value, name);

/** A list of any length, or of one. */
export const listOf = (check: Check, length?: number): Check => (value, name) => {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    return `expected ${name} to be a list${length === undefined ? "" : ` of ${length}`}, found ${excerpt(value)}`;
  }
  return first(value.entries(), ([i, element]) => check(element, `${name}[${i}]`));
};

/** An object whose values all are of a kind. What every object inherits ("constructor") is no name: it would be found in others. */
export const recordOf = (check: Check): Check => (value, name) => {
  if (!isRecord(value)) return `expected ${name} to be an object, found ${excerpt(value)}`;
  return first(
    Object.entries(value),
    ([key, element]) =>
      key in Object.prototype ? `expected a name in ${name}, found ${excerpt(key)}` : check(element, excerpt(key)),
  );
};

/** An object with known fields, and any others. */
export const fields = (checks: Readonly<Record<string, Check>>): Check => (value, name) => {
  if (!isRecord(value)) return `expected ${name} to be an object, found ${excerpt(value)}`;
  // What an object inherits is no field of the file.
  return first(
    Object.entries(checks),
    ([key, check]) => check(Object.hasOwn(value, key) ? value[key] : undefined, `"${key}"`),
  );
};

/** One of several kinds. */
export const either = (expected: string, ...checks: readonly Check[]): Check => (value, name) =>
  kind(expected, () => checks.some((check) => check(value, name) === undefined))(value, name);

function first<T>(all: Iterable<T>, wrong: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const found = wrong(one);
    if (found) return found;
  }
  return undefined;
}

/**
 * Parses JSON of bytes or text.
 *
 * @param what What it should be, for messages: "a list of labels".
 * @throws {FileError} If it is no JSON in UTF-8.
 */
export function parseJson(source: string | Uint8Array, file: string, what = "JSON"): unknown {
  try {
    return JSON.parse(typeof source === "string" ? source : new TextDecoder("utf-8", { fatal: true }).decode(source));
  } catch (cause) {
    // The rest of the engine's message repeats the text, which may be long.
    const [place] = /at position \d+/.exec(cause instanceof Error ? cause.message : "") ?? [];
    const found = source.length === 0 ? "nothing" : `${beginning(source)}, damaged ${place ?? "or cut short"}`;
    throw new FileError(file, `expected ${what}, found ${found}`, { cause });
  }
}

function beginning(source: string | Uint8Array): string {
  return excerpt(typeof source === "string" ? source : new TextDecoder().decode(source.subarray(0, 400)));
}
