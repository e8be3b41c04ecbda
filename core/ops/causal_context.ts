/**
 * What an autoregressive model of images may look at: the pixels before each one.
 *
 * @module
 */

import { type Fragment, read } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { store } from "./store.ts";
import backwardLoader from "../../shaders/codes/causal_context_backward.wgsl" with { type: "text" };
import causalContextShader from "../../shaders/codes/causal_context.wgsl" with { type: "text" };
import forwardLoader from "../../shaders/codes/causal_context_forward.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };

/** Images [N H W, E], and how far a pixel looks. */
export interface ContextOptions {
  /** H */
  readonly height: number;
  /** W */
  readonly width: number;
  /** R, rows and columns to the furthest neighbour. */
  readonly radius: number;
}

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
 * Backward: dx of a pixel sums the gradients of it as a neighbour, in the order of the neighbours.
 *
 * @param x [N H W, E], E a multiple of four
 * @returns y [N H W, 2 R (R + 1) E + H W]
 */
export function causalContext(t: Tape, x: Variable, options: ContextOptions): Variable {
  const { height, width, radius } = options;
  if (x.columns % 4 || x.rows % (height * width)) {
    throw new RangeError(
      `Cannot form the context of "${x.name}": expected images of ${height} x ${width} as [N ${height * width}, E], ` +
        `E a multiple of 4, found [${x.rows}, ${x.columns}]`,
    );
  }
  const y = t.variable(`context of ${x.name}`, contextColumns(options, x.columns), "f32", x.rows);
  const fragment = (part: string, name: string, tensor: Tensor): Fragment => ({
    parts: [layout, causalContextShader, part],
    constants: {
      HEIGHT: height,
      WIDTH: width,
      RADIUS: radius,
      POSITIONS: height * width,
      NEIGHBOURS: contextOffsets(radius).length,
      CHANNELS4: x.columns / 4,
      ROWS_live: x.rows,
      [`ROWS_${name}`]: tensor.storedRows,
    },
    buffers: { [name]: read(tensor) },
  });
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    forward: () => store(t, y, fragment(forwardLoader, "image", t.tensor(x))),
    backward() {
      const context = fragment(backwardLoader, "context", t.gradient(y));
      t.map(`${x.name} gradient`, context, t.contribution(x), x);
    },
  }, y);
  return y;
}
