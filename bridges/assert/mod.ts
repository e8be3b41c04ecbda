/**
 * `@std/assert` for machines that reach npm but not JSR: the same code, from its npm copy, with the types of the
 * names that this project uses. Only `deno.json` knows of it (`links`); what is published uses JSR.
 *
 * @module
 */

// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
