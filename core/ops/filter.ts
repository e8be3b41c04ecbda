/**
 * Fixed filters along one axis of images: blurring, and averaging pixels.
 *
 * @module
 */

import { type Fragment, read } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import filtered from "../../shaders/loaders/filtered.wgsl" with { type: "text" };
import filteredTransposed from "../../shaders/loaders/filtered_transposed.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };

/** Images and a filter on them. */
export interface FilterOptions {
  /** H, W and C of the images. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Which way it goes: down the rows of an image, or across its columns. */
  readonly axis: "down" | "across";
  /** w */
  readonly taps: ArrayLike<number>;
  /** From one output to the next. Default 1. */
  readonly stride?: number;
}

/**
 * y[i] = Σ_k w_k x[stride i + k] along an axis of images, where the filter lies within them
 *
 * Backward: dx[i] = Σ_k w_k dy[(i - k) / stride], where that is whole and within.
 *
 * @param x [N, H W C]
 * @returns y [N, H' W C] or [N, H W' C], H' = ⌊(H - K) / stride⌋ + 1 for K taps
 */
export function filter(t: Tape, x: Variable, { shape, axis, taps, stride = 1 }: FilterOptions): Variable {
  if (x.type !== "f32") throw new RangeError(`Cannot filter "${x.name}": expected f32, found ${x.type}`);
  const [height, width, channels] = shape;
  const [from, inner] = axis === "down" ? [height, width * channels] : [width, channels];
  const to = Math.floor((from - taps.length) / stride) + 1;
  if (x.columns !== height * width * channels || to < 1) {
    throw new RangeError(
      `Cannot filter "${x.name}": expected images of ${
        shape.join(" x ")
      } numbers and at least ${taps.length} of them ` +
        `along the filter, found ${x.columns} and ${from}`,
    );
  }
  const y = t.variable(`${x.name} filtered ${axis}`, x.columns / from * to, "f32", x.rows);
  const load = (text: string, source: Tensor, columns: number): Fragment => ({
    parts: [layoutScalar, { text, parameters: { taps: taps.length } }],
    constants: {
      ROWS_source: source.storedRows,
      COLUMNS_filtered: columns,
      ...{ FROM: from, TO: to, INNER: inner, STRIDE: stride },
    },
    floats: Object.fromEntries(Array.from(taps, (tap, k) => [`TAP_${k}`, tap])),
    buffers: { source: read(source, "array<f32>") },
  });
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    forward: () => store(t, y, load(filtered, t.tensor(x), y.columns)),
    backward() {
      if (!t.needsGradient(x)) return;
      const gradient = load(filteredTransposed, t.gradient(y), x.columns);
      t.map(`${x.name} gradient`, gradient, t.contribution(x), x);
    },
  }, y);
  return y;
}
