/**
 * Deno, where the program runs there, as far as it is used. The package for npm has another file in its place, which finds none.
 *
 * @module
 */

/** What is used of Deno where there is one; a page's types do not know it. */
export interface Host {
  readonly permissions: {
    querySync?(asked: { readonly name: "env"; readonly variable: string }): { readonly state: string };
  };
  readonly env: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
    has(name: string): boolean;
  };
  readonly build: { readonly os: string };
}

/** Deno, where the program runs there. */
export function host(): Host | undefined {
  return (globalThis as { readonly Deno?: Host }).Deno;
}
