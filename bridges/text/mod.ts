/**
 * `@std/text` for machines that reach npm but not JSR: see `bridges/assert/mod.ts`.
 *
 * @module
 */

// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/text/closest_string.js";
