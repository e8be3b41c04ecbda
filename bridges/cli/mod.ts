/**
 * `@std/cli` for machines that reach npm but not JSR: see `bridges/assert/mod.ts`.
 *
 * @module
 */

// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
