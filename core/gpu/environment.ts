/**
 * Environment variables and system files, where the program may read them. It never prompts for a permission.
 *
 * @module
 */

/** Reads or sets an environment variable; undefined where that is not permitted, or there is none. */
export function environment(name: string, value?: string): string | undefined {
  const deno = (globalThis as { Deno?: typeof Deno }).Deno;
  if (deno?.permissions.querySync?.({ name: "env", variable: name }).state !== "granted") return undefined;
  if (value !== undefined) deno.env.set(name, value);
  return deno.env.get(name);
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
