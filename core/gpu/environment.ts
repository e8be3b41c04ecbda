/**
 * Environment variables and system files, where the program may read them. It never prompts for a permission.
 *
 * @module
 */

/** Deno, where the program may read and set an environment variable. */
function permitted(name: string): typeof Deno | undefined {
  const deno = (globalThis as { Deno?: typeof Deno }).Deno;
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

/** The text of a file; "" where that is not permitted, or there is none. */
export function readText(path: string): string {
  const deno = (globalThis as { Deno?: typeof Deno }).Deno;
  try {
    return deno?.permissions.querySync?.({ name: "read", path }).state === "granted" ? deno.readTextFileSync(path) : "";
  } catch {
    return "";
  }
}
