/**
 * A tracker of one's own: a module whose default export is told of each epoch and of the end.
 *
 * ```ts ignore
 * export default async (event, run) => {
 *   await Deno.writeTextFile(`${run.folder}/mine.txt`, `${event.event}\n`, { append: true });
 * };
 * ```
 *
 * @module
 */

import type { Destination, LoggedEvent, LoggedRun } from "./outbox.ts";

/** What the module's default export is. */
export type Listener = (event: LoggedEvent, run: LoggedRun) => Promise<void> | void;

/**
 * The tracker.
 *
 * @param path The module, as it was named.
 * @param exported What it exports.
 * @throws {TypeError} If its default export is no function.
 */
export function moduleTracker(path: string, exported: { readonly default?: unknown }): Destination {
  const listener = exported.default;
  if (typeof listener !== "function") {
    throw new TypeError(`Cannot log to "${path}": expected a function as its default export, found ${typeof listener}`);
  }
  return {
    name: path.replace(/.*\//, "").replace(/\.[^.]*$/, "").replaceAll(/[^\w-]/g, "_"),
    begin: () => Promise.resolve(path),
    async log(_, events, run) {
      for (const event of events) await (listener as Listener)(event, run);
    },
  };
}
