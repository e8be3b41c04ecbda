/**
 * How pixels become data on the host: the same as shaders/gather_*.wgsl on the GPU, but for the draws of "dynamic".
 *
 * @module
 */

import type { Split } from "../dataset.ts";
import { uniforms } from "../graph/random.ts";
import type { Binarization } from "../ops/gather.ts";

/**
 * Rows of a split as a model is given them: bytes / 255, floats as they are; x >= 1/2 for "threshold", x ~ Bernoulli(pixel) for "dynamic".
 *
 * @param from The first value, counted from the beginning of the split.
 * @param out As many values as are wanted; float32 rounds them as the GPU does.
 * @param seed Of the draws of "dynamic".
 */
export function readValues<A extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  { values }: Pick<Split, "values">,
  binarize: Binarization,
  from: number,
  out: A,
  seed = 0,
): A {
  const scale = values instanceof Uint8Array ? 1 / 255 : 1;
  for (let i = 0; i < out.length; i++) out[i] = values[from + i] * scale;
  if (binarize === "none") return out;
  if (binarize === "threshold") {
    for (let i = 0; i < out.length; i++) out[i] = out[i] >= 0.5 ? 1 : 0;
    return out;
  }
  const u = uniforms(new Float32Array(out.length), seed, 0, 1);
  for (let i = 0; i < out.length; i++) out[i] = u[i] < out[i] ? 1 : 0;
  return out;
}
