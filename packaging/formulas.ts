/**
 * Ops without what only exports ask of them.
 *
 * @module
 */

/** A member `formula` of a node up to the next member, which is indented like it, in TypeScript or as it is packed. */
const FORMULA = /^( *)formula ?(?::|\()[\s\S]*?\n(?=\1[\w/.])/gm;

/**
 * The text of a module of `core/ops/` without the formulas of its nodes, which neither a page nor a package has a use for: exports are written
 * by the tasks. What only they call is then left out too.
 */
export function withoutFormulas(path: string, text: string): string {
  return /(?:^|\/)core\/ops\/[^/]+(?<!\.d)\.[jt]s$/.test(path) ? text.replaceAll(FORMULA, "") : text;
}
