/**
 * What Deno, Node and Bun bring along and pages do not. It is asked for when it is needed, so that what does without it runs anywhere.
 *
 * @module
 */

/**
 * A module of Node's standard library.
 *
 * @throws {Error} If the host has none.
 */
export function builtin<T>(name: string): T {
  const host = (globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } }).process;
  const module = host?.getBuiltinModule?.(`node:${name}`);
  if (module) return module as T;
  throw new Error(`Cannot unpack: expected a host with Node's module ${name} (Deno, Node or Bun), found none`);
}
