/**
 * Noise on data, for denoising autoencoders.
 *
 * @module
 */

import { write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import corruptGaussian from "../../shaders/corrupt_gaussian.wgsl" with { type: "text" };
import corruptMasking from "../../shaders/corrupt_masking.wgsl" with { type: "text" };
import corruptSaltAndPepper from "../../shaders/corrupt_salt_and_pepper.wgsl" with { type: "text" };
import corruptShader from "../../shaders/corrupt.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** A kind of noise. */
export type Corruption = "masking" | "gaussian" | "salt-and-pepper";

const KINDS = {
  masking: corruptMasking,
  gaussian: corruptGaussian,
  "salt-and-pepper": corruptSaltAndPepper,
} as const satisfies Record<Corruption, string>;

/** The kinds of noise, for settings. */
export const CORRUPTIONS = Object.keys(KINDS) as readonly Corruption[];

/**
 * x̃ ~ C(x̃ | x), drawn anew at every step: values set to 0 (`masking`) or to 0 or 1 (`salt-and-pepper`) with a probability, or with
 * Gaussian noise of a standard deviation added. No gradient passes. Source: Vincent et al., JMLR 11, 2010, section 3.3.
 *
 * @param x [N, D]
 * @param amount The probability, or the standard deviation.
 * @returns x̃ [N, D]
 */
export function corrupt(t: Tape, x: Variable, kind: Corruption, amount: number): Variable {
  const y = t.variable(`${kind} of ${x.name}`, x.columns, "f32", x.rows);
  const stream = t.stream();
  t.stream(); // the normals'
  t.record({
    name: y.name,
    inputs: [],
    detached: [x],
    parameters: [],
    forward() {
      t.map(y.name, t.load("a", x), {
        parts: [stateStruct, random, KINDS[kind], corruptShader],
        constants: {
          ROWS_y: t.stored(x.rows),
          COLUMNS: x.columns,
          ...t.drawn("corrupt", x.rows),
          STREAM_corrupt: stream,
        },
        floats: { AMOUNT: amount },
        buffers: { y: write(t.tensor(y)), state: t.readState() },
      }, x);
    },
  }, y);
  return y;
}
