/**
 * Going on to another step on the GPU, for programs without terms: a program that measures terms does so as it collects them.
 *
 * @module
 */

import { write } from "../gpu/kernel.ts";
import type { Tape } from "../graph/tape.ts";
import advanceShader from "../../shaders/advance.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** state.step += steps: recorded last, so that the next run of the program is another step. */
export function advance(t: Tape, steps: number): void {
  t.record({
    name: "advance",
    inputs: [],
    parameters: [],
    forward() {
      t.dispatch({
        label: "advance",
        fragments: [{
          parts: [stateStruct, advanceShader],
          constants: { STRIDE: steps },
          buffers: { state: write(t.state, "State") },
        }],
        workgroups: [1],
      });
    },
  });
}
