/**
 * What a layer is: what it holds, and how it is applied, declared in one place. Its parameters are held by {@linkcode Parameters}, not by
 * the layer, so that one declaration serves training, sampling and a checkpoint alike.
 *
 * @module
 */

import type { Parameters, Shapes } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";

/** One layer, or several as one. */
export interface Layer {
  /** What it holds, by full names. Their order decides the random initial values. */
  readonly shapes: Shapes;
  /** Records y = layer(x). */
  apply(t: Tape, p: Parameters, x: Variable): Variable;
}

/** Rows, columns and channels of images: [N H W, C], or [N, H W C] where that is said. 1 x 1 x D stands for rows [N, D]. */
export type ImageShape = readonly [height: number, width: number, channels: number];

/** A layer that knows the shape of what it gives. */
export interface ShapedLayer extends Layer {
  readonly output: ImageShape;
}

/** y = lₙ(… l₁(x)); x itself, where there are none. */
export function chain(...layers: readonly Layer[]): Layer {
  return {
    shapes: Object.assign({}, ...layers.map(({ shapes }) => shapes)),
    apply: (t, p, x) => layers.reduce((h, layer) => layer.apply(t, p, h), x),
  };
}
