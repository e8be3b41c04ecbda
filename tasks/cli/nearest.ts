/**
 * The known name that was probably meant.
 *
 * @module
 */

import { closestString } from "@std/text";

/** `fashion-mnist` and `Fashion MNIST` are `fashion_mnist`. */
const plain = (name: string) => name.toLowerCase().replaceAll(/[\s_.-]/g, "");

const letters = (name: string) => [...name].sort().join("");

/** The name nearest to one that is unknown: equal but for case and hyphens, of the same letters, one that begins as it does, or the nearest in letters. */
export function nearest(name: string, known: readonly string[]): string {
  const wanted = plain(name);
  return known.find((one) => plain(one) === wanted) ??
    known.find((one) => letters(plain(one)) === letters(wanted)) ??
    known.find((one) => wanted.length > 2 && plain(one).startsWith(wanted)) ??
    closestString(name, known);
}

/** `the nearest known one is mnist of mnist, fashion_mnist`: the middle of a message. */
export function nearestOf(name: string, known: readonly string[]): string {
  if (!name) return `expected one of ${known.join(", ")}`;
  return `the nearest known one is ${nearest(name, known)} of ${known.join(", ")}`;
}
