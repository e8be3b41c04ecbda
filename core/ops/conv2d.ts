/**
 * Convolutions of images, by the same three matrix products as a dense layer: only the loaders differ, which read image windows where they
 * lie. No window is ever copied.
 *
 * @module
 */

import type { Parameter } from "../graph/parameters.ts";
import { merge } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import { recordConv } from "./conv_products.ts";
import pixelsLoader from "../../shaders/loaders/pixels.wgsl" with { type: "text" };
import slicesRows from "../../shaders/tiles/slices_rows.wgsl" with { type: "text" };
import weightsTurned from "../../shaders/loaders/weights_turned.wgsl" with { type: "text" };
import windowLoader from "../../shaders/loaders/window.wgsl" with { type: "text" };
import windowScalar from "../../shaders/loaders/window_scalar.wgsl" with { type: "text" };
import windowTransposed from "../../shaders/loaders/window_transposed.wgsl" with { type: "text" };
import {
  type ConvOptions,
  convSize,
  geometryOf,
  groups4,
  imageLoader,
  imagesOf,
  isPacked,
  order,
  outputImages,
  pixelsOf,
  weights,
} from "./images.ts";

/**
 * y = f(x * W + b), (x * W)[n, cy, cx, o] = Σ over ky, kx, c of x[n, cy stride + ky - padding, cx stride + kx - padding, c] W[ky, kx, c, o],
 * with zeros outside of the image; a cross-correlation, as everywhere in deep learning.
 *
 * Backward, with da = dy · f'(a): dx is the transposed convolution of da by the same weights, dW[ky, kx, c, o] = Σ over n, cy, cx of
 * x[n, cy stride + ky - padding, ...] da[n, cy, cx, o], db = Σ da. One dispatch forward; one for dx; for dW and db together one that sums in
 * chunks and one that adds the chunks, which the optimizer ends. The fine pixels of dx are worked on in stride² residues of equal
 * remainders, so that no weight is tried that meets none.
 *
 * Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, chapters 2 and 4.
 *
 * @param x [N, H W C] or [N H W, C], of floats or bytes
 * @param parameter Weight [K K C, C'], rows in the order ky, kx, c, and bias [C'].
 * @returns y [N H' W', C'] or, if flat, [N, H' W' C'], with H' of {@linkcode convSize}
 */
export function conv2d(t: Tape, x: Variable, parameter: Parameter, options: ConvOptions): Variable {
  const fine = imagesOf(x, parameter, options);
  const { outputs } = parameter.shape;
  const coarse = outputImages(
    parameter,
    fine,
    convSize(fine.height, options),
    convSize(fine.width, options),
    options.flat,
  );
  const g = geometryOf(fine, coarse, options);
  const { activation } = options;
  return recordConv(t, { x, parameter, fine, coarse, g, transposed: false, activation }, {
    size: {
      rows: t.stored(coarse.count * pixelsOf(coarse)),
      depth: parameter.biasRow,
      columns: roundUp(outputs, PANEL),
    },
    a: () => imageLoader(t, "a", t.tensor(x), fine, g, isPacked(fine) ? windowScalar : windowLoader),
    forward: () => ({ b: t.operand("b", parameter.tensor), biasRow: parameter.biasRow }),
    inputGradient(gradient) {
      const tapOrder = order(fine, g, true);
      return {
        rows: t.stored(fine.count * pixelsOf(fine) / g.residues ** 2),
        depth: roundUp(g.taps ** 2 * 4 * groups4(outputs), PANEL),
        columns: roundUp(fine.channels, PANEL),
        a: merge(tapOrder, imageLoader(t, "a", gradient, coarse, g, windowTransposed)),
        b: weights(t, parameter, fine.channels, outputs, g, weightsTurned, tapOrder),
        residues: g.residues ** 2,
      };
    },
    weightGradient: (gradient) => ({
      b: merge(order(coarse, g, false), imageLoader(t, "b", gradient, coarse, g, pixelsLoader)),
      slices: { parts: [slicesRows] },
    }),
  });
}
