// The types of JSR's @std/cli, for what elbo uses: no inference of the result's names from the options.

/** The options of {@linkcode parseArgs}. */
export interface ParseOptions {
  "--"?: boolean;
  alias?: Record<string, string | ReadonlyArray<string>>;
  boolean?: boolean | string | ReadonlyArray<string>;
  default?: Record<string, unknown>;
  stopEarly?: boolean;
  string?: string | ReadonlyArray<string>;
  collect?: string | ReadonlyArray<string>;
  negatable?: string | ReadonlyArray<string>;
  /** Called with each argument that no option names; false keeps it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Flags by name; `_` holds the other arguments. */
export declare function parseArgs(
  args: string[],
  options?: ParseOptions,
  // deno-lint-ignore no-explicit-any
): { _: Array<string | number>; [flag: string]: any };
