/**
 * Labels of any kind to classes from 0 to 255, with their names.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { NumericArray, StoredArray } from "./rows.ts";

/** Classes that there may be: a label is a byte. */
const MOST = 256;

/** Whether labels are their own classes: integers from 0 to 255. */
export const areNumbers = (texts: readonly string[]): boolean =>
  texts.every((text) => /^\d+(\.0*)?$/.test(text) && Number(text) < MOST);

/** The names of classes in their order: that of numbers, or of the alphabet. */
export function orderOf(names: readonly string[]): readonly string[] {
  const numeric = names.every((name) => name.trim() !== "" && Number.isFinite(Number(name)));
  return names.toSorted((a, b) => numeric ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0);
}

/** Labels as they can be divided into classes, and the names of these. */
export interface Classes {
  readonly labels: readonly (NumericArray | undefined)[];
  readonly classNames?: readonly string[];
}

/**
 * The labels of the parts of a dataset: texts and integers beyond a byte become the places of their names, the same in each part.
 *
 * @throws {FileError} If there are too many classes.
 */
export function classesIn(arrays: readonly (StoredArray | undefined)[], file: string): Classes {
  const texts = arrays.map((array) => array?.texts?.());
  const read = arrays.map((array, i) => texts[i] ? undefined : array?.read());
  if (texts.every((each) => !each)) {
    const wide = read.some((array) =>
      array?.values.some((value) => Number.isInteger(value) && (value < 0 || value >= MOST))
    );
    const flat = read.every((array) => !array || array.shape.filter((size) => size > 1).length < 2);
    if (!wide || !flat || !read.every((array) => !array || array.values.every(Number.isInteger))) {
      return { labels: read };
    }
  }
  const all = arrays.map((array, i) => array && (texts[i] ?? Array.from(read[i]!.values, String)));
  const different = new Set(all.flatMap((each) => [...new Set(each)]));
  if (different.size > MOST) {
    throw new FileError(file, `expected labels of at most ${MOST} classes, found ${different.size} different ones`);
  }
  const known = [...different];
  const classNames = orderOf(known);
  const places = new Map(classNames.map((name, i) => [name, i]));
  const labels = all.map((each) =>
    each && { shape: [each.length], values: Uint8Array.from(each, (name) => places.get(name)!) }
  );
  return { labels, classNames };
}
