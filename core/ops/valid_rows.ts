/**
 * Which rows of a batch are data, for ops that look at all of them at once.
 *
 * @module
 */

import type { Fragment } from "../gpu/kernel.ts";
import type { Tape } from "../graph/tape.ts";
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };
import validRowsShader from "../../shaders/valid_rows.wgsl" with { type: "text" };

/** Gives `valid_rows()`: how many rows of this step's batch are data. The last batch of rows in their stored order may have fewer than N. */
export function validRows(t: Tape): Fragment {
  return { parts: [stateStruct, validRowsShader], constants: { BATCH: t.batch }, buffers: { state: t.readState() } };
}
