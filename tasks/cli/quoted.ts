/**
 * Text for a shell.
 *
 * @module
 */

/** A word, such as a path, as it can be typed in a shell. */
export function quoted(path: string): string {
  return /^[\w./:@%+,=~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
