/**
 * Drawing images of codes position by position, on the GPU.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import drawShader from "../../shaders/codes/draw.wgsl" with { type: "text" };
import largestLogit from "../../shaders/codes/largest_logit.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** Those of a program's ops begin at 1 ({@linkcode Tape.stream}): what a prior draws is no other draw of the same seed. */
const STREAM = 0;

/**
 * c_t ~ softmax(a / T) at step t: the code of position t mod P of every image, given those before it
 *
 * P steps of a program, from 0 on, draw N images; the next P steps draw the next N. Image n has at position i the uniform number
 * n P + i of the seed, whatever N is, so that equal seeds give equal images. It has no gradient.
 *
 * @param logits a [N, K], of the codes at the step's position
 * @param temperature T [N, 1]; at 0, the most probable code
 * @param codes c [N, P], where the codes are drawn into
 */
export function drawCode(
  t: Tape,
  { logits, temperature, codes }: Readonly<Record<"logits" | "temperature" | "codes", Variable>>,
): void {
  if (logits.rows !== codes.rows) {
    throw new RangeError(
      `Cannot draw "${codes.name}" from "${logits.name}": expected ${codes.rows} rows, found ${logits.rows}`,
    );
  }
  t.record({
    name: `draw ${codes.name}`,
    inputs: [logits, temperature],
    parameters: [],
    forward() {
      t.dispatch({
        label: `draw ${codes.name}`,
        fragments: [{
          parts: [stateStruct, layout, layoutScalar, random, largestLogit, drawShader],
          constants: {
            BATCH: codes.rows,
            ROWS_logits: t.stored(logits.rows),
            ROWS_temperature: t.stored(temperature.rows),
            ROWS_codes: t.stored(codes.rows),
            CODES: logits.columns,
            POSITIONS: codes.columns,
            STREAM_draw: STREAM,
          },
          buffers: {
            state: t.readState(),
            logits: read(t.tensor(logits)),
            temperature: read(t.tensor(temperature), "array<f32>"),
            codes: write(t.tensor(codes), "array<f32>"),
          },
        }],
        workgroups: [Math.ceil(codes.rows / 64)],
      });
    },
  });
}
