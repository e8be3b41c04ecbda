/**
 * Storing what a loader gives.
 *
 * @module
 */

import { type Fragment, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { activations } from "./activations.ts";
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };

/**
 * Records the dispatch y = the values of a loader, zero in the padding.
 *
 * @param a Gives load_a.
 */
export function store(t: Tape, y: Variable, a: Fragment): void {
  t.map(y.name, a, {
    parts: [activations.identity.shader, denseEpilogue],
    constants: { ROWS_y: t.stored(y.rows), COLUMNS: y.columns },
    buffers: { y: write(t.tensor(y)) },
  }, y);
}
