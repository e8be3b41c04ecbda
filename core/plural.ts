/**
 * Counts in sentences.
 *
 * @module
 */

/**
 * `1 epoch`, `2,000 epochs`
 *
 * @param many The word for several. Default: the word with an s.
 * @param number Whether the number stands before it.
 */
export function plural(count: number, one: string, many = `${one}s`, number = true): string {
  const word = count === 1 ? one : many;
  return number ? `${count.toLocaleString("en-US")} ${word}` : word;
}
