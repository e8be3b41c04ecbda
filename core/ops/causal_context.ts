/**
 * What an autoregressive model of images may look at: the pixels before each one.
 *
 * @module
 */

import { type Fragment, merge, read } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { store } from "./store.ts";
import backwardLoader from "../../shaders/codes/causal_context_backward.wgsl" with { type: "text" };
import causalContextShader from "../../shaders/codes/causal_context.wgsl" with { type: "text" };
import forwardLoader from "../../shaders/codes/causal_context_forward.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import pixelEach from "../../shaders/codes/pixel_each.wgsl" with { type: "text" };
import pixelOfStep from "../../shaders/codes/pixel_of_step.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** Images [N H W, E], and how far a pixel looks. */
export interface ContextOptions {
  /** H */
  readonly height: number;
  /** W */
  readonly width: number;
  /** R, rows and columns to the furthest neighbour. */
  readonly radius: number;
}

/** Whose contexts: those of all pixels, or at step t that of pixel t mod H W alone, for drawing one pixel after another. */
export type ContextOf = "all" | "step";

/** The places (dy, dx) of a pixel's neighbours, in their order: R rows of 2 R + 1 above it, then R to its left. */
export function contextOffsets(radius: number): readonly (readonly [dy: number, dx: number])[] {
  const span = 2 * radius + 1;
  return Array.from({ length: radius * span + radius }, (_, i) => [Math.floor(i / span) - radius, i % span - radius]);
}

/** Columns of a context: 2 R (R + 1) neighbours of E channels, and H W positions. */
export function contextColumns({ height, width, radius }: ContextOptions, channels: number): number {
  return contextOffsets(radius).length * channels + height * width;
}

/**
 * y = for each pixel, the channels of the pixels before it in reading order that are at most R rows and columns away, zero outside of the
 * image, and an indicator of the pixel's own position
 *
 * Backward: dx of a pixel sums the gradients of it as a neighbour, in the order of the neighbours. The context of one pixel has none.
 *
 * @param x [N H W, E], E a multiple of four
 * @returns y [N H W, 2 R (R + 1) E + H W], or [N, 2 R (R + 1) E + H W] of "step"
 */
export function causalContext(t: Tape, x: Variable, options: ContextOptions, of: ContextOf = "all"): Variable {
  const { height, width, radius } = options;
  if (x.columns % 4 || x.rows % (height * width)) {
    throw new RangeError(
      `Cannot form the context of "${x.name}": expected images of ${height} x ${width} as [N ${height * width}, E], ` +
        `E a multiple of 4, found [${x.rows}, ${x.columns}]`,
    );
  }
  const rows = of === "all" ? x.rows : x.rows / (height * width);
  const y = t.variable(`context of ${x.name}`, contextColumns(options, x.columns), "f32", rows);
  const fragment = (part: string, name: string, tensor: Tensor): Fragment => ({
    parts: [layout, causalContextShader, part],
    constants: {
      HEIGHT: height,
      WIDTH: width,
      RADIUS: radius,
      POSITIONS: height * width,
      NEIGHBOURS: contextOffsets(radius).length,
      CHANNELS4: x.columns / 4,
      ROWS_valid: rows,
      [`ROWS_${name}`]: tensor.storedRows,
    },
    buffers: { [name]: read(tensor) },
  });
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    forward() {
      const pixels: Fragment = of === "all"
        ? { parts: [pixelEach] }
        : { parts: [stateStruct, pixelOfStep], buffers: { state: t.readState() } };
      store(t, y, merge(pixels, fragment(forwardLoader, "image", t.tensor(x))));
    },
    backward() {
      if (of === "step") throw new Error(`Cannot form the gradient of "${x.name}" from the context of one pixel`);
      const context = fragment(backwardLoader, "context", t.gradient(y));
      t.map(`${x.name} gradient`, context, t.contribution(x), x);
    },
  }, y);
  return y;
}
