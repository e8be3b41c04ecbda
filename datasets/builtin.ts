/**
 * What Deno, Node and Bun bring along and pages do not. It is asked for when it is needed, so that what does without it runs anywhere.
 *
 * @module
 */

/** A module of Node's standard library; undefined where the host has none. */
export function builtinIfThere<T>(name: string): T | undefined {
  const host = (globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } }).process;
  return host?.getBuiltinModule?.(`node:${name}`) as T | undefined;
}

/**
 * A module of Node's standard library.
 *
 * @throws {Error} If the host has none.
 */
export function builtin<T>(name: string): T {
  const module = builtinIfThere<T>(name);
  if (module) return module;
  throw new Error(`Cannot unpack: expected a host with Node's module ${name} (Deno, Node or Bun), found none`);
}
