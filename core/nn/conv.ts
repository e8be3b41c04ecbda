/**
 * Convolutions and transposed convolutions as layers that know the images they read and give.
 *
 * @module
 */

import { conv2d } from "../ops/conv2d.ts";
import { convTranspose2d } from "../ops/conv_transpose2d.ts";
import { type ConvOptions, convShape, convSize, convTransposeSize } from "../ops/images.ts";
import type { ImageShape, ShapedLayer } from "./layer.ts";

/** How a layer reads images whose shape it is told apart. */
export type KernelOptions = Omit<ConvOptions, "height" | "width" | "channels">;

/**
 * y = f(x * W + b): {@linkcode conv2d}
 *
 * @param name Of W [K K C, C'] and b [C'].
 * @param input H, W, C of x.
 * @param outputs C'
 */
export function conv(name: string, input: ImageShape, outputs: number, options: KernelOptions): ShapedLayer {
  const [height, width, channels] = input;
  const all = { height, width, channels, ...options };
  return {
    shapes: { [name]: convShape(all, outputs) },
    output: [convSize(height, options), convSize(width, options), outputs],
    apply: (t, p, x) => conv2d(t, x, p.get(name), all),
  };
}

/**
 * y = f(x *ᵀ W + b): {@linkcode convTranspose2d}
 *
 * @param name Of W [K K C, C'] and b [C'].
 * @param input H, W, C of x.
 * @param outputs C'
 * @param options Also `outputSize`, H' and W', where they are not the least.
 */
export function convTranspose(
  name: string,
  input: ImageShape,
  outputs: number,
  options: KernelOptions & { readonly outputSize?: readonly [height: number, width: number] },
): ShapedLayer {
  const [height, width, channels] = input;
  const all = { height, width, channels, ...options };
  const [down, across] = options.outputSize ?? [height, width].map((size) => convTransposeSize(size, options));
  return {
    shapes: { [name]: convShape(all, outputs) },
    output: [down, across, outputs],
    apply: (t, p, x) => convTranspose2d(t, x, p.get(name), all),
  };
}
