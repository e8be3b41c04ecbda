/**
 * Environment variables, where the program may read them. It never prompts for a permission.
 *
 * @module
 */

import { type Host, host } from "./host.ts";

/** What a page, or a worker of one, says of itself; undefined in a program of Deno, Node or Bun. */
export function page(): { readonly isSecureContext: boolean } | undefined {
  const here = globalThis as {
    readonly isSecureContext?: boolean;
    readonly process?: { readonly versions?: { readonly node?: string } };
  };
  const { isSecureContext, process } = here;
  return isSecureContext === undefined || process?.versions?.node ? undefined : { isSecureContext };
}

/** Deno, where the program may read and set an environment variable. */
function permitted(name: string): Host | undefined {
  const deno = host();
  return deno?.permissions.querySync?.({ name: "env", variable: name }).state === "granted" ? deno : undefined;
}

/** An environment variable; undefined where that is not permitted, or there is none. */
export function environment(name: string): string | undefined {
  return permitted(name)?.env.get(name);
}

/** Sets an environment variable that has no value, where that is permitted. */
export function setDefault(name: string, value: string): void {
  const deno = permitted(name);
  if (deno && !deno.env.has(name)) deno.env.set(name, value);
}
