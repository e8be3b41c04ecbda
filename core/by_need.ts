/**
 * What is loaded when it is first needed: a page that trains a plain VAE fetches none of it, while programs have all of it from the start.
 *
 * There are few such parts, with much in each. Bundlers divide what several of them share into files of their own, and a page fetches many
 * small ones then, where the whole is packed less well.
 *
 * @module
 */

/** A module that is loaded once, when something first needs it. */
export interface ByNeed<T> {
  /** What it exports; throws before it is there. */
  readonly now: T;
  /** What loads it; undefined where it is there. */
  readonly missing: (() => Promise<unknown>) | undefined;
  /** Loads it, where it is not there. */
  load(): Promise<T>;
  /** Has what it exports, where the program imports it anyway. */
  provide(part: T): void;
}

/**
 * A module that is loaded by need.
 *
 * @param load Imports it by a literal path, which bundlers make a file of its own from.
 */
export function byNeed<T>(load: () => Promise<T>): ByNeed<T> {
  let part: T | undefined;
  let loading: Promise<T> | undefined;
  const start = () =>
    loading ??= load().then((loaded) => part ??= loaded, (error) => {
      // The network may be back another time.
      loading = undefined;
      throw error;
    });
  return {
    get now() {
      if (!part) throw new Error("Cannot use what is not loaded yet: expected Model.missing to be awaited before");
      return part;
    },
    get missing() {
      return part ? undefined : start;
    },
    load: async () => part ?? await start(),
    provide: (given) => part = given,
  };
}

/** What a plain training on a GPU does without. */
export const more = byNeed(() => import("./more.ts"));
