/**
 * What an autoregressive model of images may look at: the pixels before each one.
 *
 * @module
 */

import { type Fragment, merge, read } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { codeFragment } from "./codes.ts";
import { store } from "./store.ts";
import backwardLoader from "../../shaders/codes/causal_context_backward.wgsl" with { type: "text" };
import causalContextShader from "../../shaders/codes/causal_context.wgsl" with { type: "text" };
import forwardLoader from "../../shaders/codes/causal_context_forward.wgsl" with { type: "text" };
import itemEach from "../../shaders/codes/item_each.wgsl" with { type: "text" };
import itemOfStep from "../../shaders/codes/item_of_step.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** Images of H W pixels with M items each, and how far an item looks. */
export interface ContextOptions {
  /** H */
  readonly height: number;
  /** W */
  readonly width: number;
  /** M, in an order of their own. Default 1. */
  readonly each?: number;
  /** R, rows and columns to the furthest neighbour. */
  readonly radius: number;
}

/** The places (dy, dx) of a pixel's neighbours, in their order: R rows of 2 R + 1 above it, then R to its left. */
export function contextOffsets(radius: number): readonly (readonly [dy: number, dx: number])[] {
  const span = 2 * radius + 1;
  return Array.from({ length: radius * span + radius }, (_, i) => [Math.floor(i / span) - radius, i % span - radius]);
}

/** Columns of a context of E channels: 2 R (R + 1) neighbours, the item's own pixel where M > 1, and H W M places. */
export function contextColumns({ height, width, each = 1, radius }: ContextOptions, channels: number): number {
  return (contextOffsets(radius).length + (each > 1 ? 1 : 0)) * channels + height * width * each;
}

/** A fragment that needs item_of and channels, and what it is of. */
function contextFragment(
  part: string,
  { height, width, each = 1, radius }: ContextOptions,
  rows: number,
  channels: number,
): Fragment {
  return {
    parts: [layout, causalContextShader, { text: part, parameters: { each } }],
    constants: {
      HEIGHT: height,
      WIDTH: width,
      EACH: each,
      RADIUS: radius,
      NEIGHBOURS: contextOffsets(radius).length,
      CHANNELS4: channels / 4,
      ROWS_valid: rows,
    },
  };
}

/**
 * y = for each item of each pixel, the channels of the pixels before it in reading order that are at most R rows and columns away, each
 * summed over its items, zero outside of the image; where M > 1, the sum of those of its own pixel before it; and an indicator of its place
 *
 * Backward: dx of an item sums the gradients of it as a neighbour, in the order of the neighbours, then as one of its own pixel.
 *
 * @param x [N H W M, E], E a multiple of four
 * @returns y [N H W M, 2 R (R + 1) E + H W], or with M > 1 [N H W M, (2 R (R + 1) + 1) E + H W M]
 */
export function causalContext(t: Tape, x: Variable, options: ContextOptions): Variable {
  const { height, width, each = 1 } = options;
  const items = height * width * each;
  if (x.columns % 4 || x.rows % items) {
    throw new RangeError(
      `Cannot form the context of "${x.name}": expected images of ${height} x ${width} as [N ${items}, E], ` +
        `E a multiple of 4, found [${x.rows}, ${x.columns}]`,
    );
  }
  const y = t.variable(`context of ${x.name}`, contextColumns(options, x.columns), "f32", x.rows);
  const fragment = (part: string) => contextFragment(part, options, x.rows, x.columns);
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    forward() {
      const image = t.tensor(x);
      const channels = {
        parts: [itemEach],
        constants: { ROWS_image: image.storedRows },
        buffers: { image: read(image) },
      };
      store(t, y, merge(fragment(forwardLoader), channels));
    },
    backward() {
      const context = t.gradient(y);
      const loader = merge(fragment(backwardLoader), {
        parts: [],
        constants: { ROWS_context: context.storedRows },
        buffers: { context: read(context) },
      });
      t.map(`${x.name} gradient`, loader, t.contribution(x), x);
    },
  }, y);
  return y;
}

/**
 * y = the row of {@linkcode causalContext} for item t mod H W M of every image at step t, of images of codes whose channels are columns of a
 * table: for drawing one item after another. It has no gradient.
 *
 * @param codes [N, H W M]
 * @param table Weight [E, K], or [E, M K] with the columns of the M items of a pixel in turn.
 * @returns y [N, columns of the context]
 */
export function causalContextOfStep(t: Tape, codes: Variable, table: Parameter, options: ContextOptions): Variable {
  const { tensor, shape: { inputs: channels, outputs } } = table;
  const { each = 1 } = options;
  const y = t.variable(`context of ${codes.name}`, contextColumns(options, channels), "f32", codes.rows);
  t.record({
    name: y.name,
    inputs: [],
    detached: [codes],
    parameters: [table],
    forward() {
      const items = merge(codeFragment(t, codes, { codebooks: each, each: outputs / each }), {
        parts: [stateStruct, itemOfStep],
        constants: { ROWS_table: tensor.storedRows },
        buffers: { state: t.readState(), table: read(tensor, "array<f32>") },
      });
      store(t, y, merge(contextFragment(forwardLoader, options, codes.rows, channels), items));
    },
  }, y);
  return y;
}
