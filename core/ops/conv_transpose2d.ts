/**
 * Transposed convolutions of images, by the same three matrix products as a dense layer, pixel by pixel or weight by weight.
 *
 * @module
 */

import { merge, read } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import { packed } from "../gpu/packed.ts";
import { recordConv } from "./conv_products.ts";
import biasNone from "../../shaders/tiles/bias_none.wgsl" with { type: "text" };
import pixelsLoader from "../../shaders/loaders/pixels.wgsl" with { type: "text" };
import scattered from "../../shaders/loaders/scattered.wgsl" with { type: "text" };
import slicesResidues from "../../shaders/tiles/slices_residues.wgsl" with { type: "text" };
import sumTaps from "../../shaders/tiles/sum_taps.wgsl" with { type: "text" };
import taps from "../../shaders/loaders/taps.wgsl" with { type: "text" };
import weightsLoader from "../../shaders/loaders/weights.wgsl" with { type: "text" };
import weightsTurned from "../../shaders/loaders/weights_turned.wgsl" with { type: "text" };
import weightsTaps from "../../shaders/loaders/weights_taps.wgsl" with { type: "text" };
import windowLoader from "../../shaders/loaders/window.wgsl" with { type: "text" };
import windowScalar from "../../shaders/loaders/window_scalar.wgsl" with { type: "text" };
import windowTransposed from "../../shaders/loaders/window_transposed.wgsl" with { type: "text" };
import {
  type ConvOptions,
  convTransposeSize,
  geometryOf,
  groups4,
  imageLoader,
  type Images,
  imagesOf,
  isPacked,
  order,
  outputImages,
  pixelsOf,
  residueConstants,
  weights,
} from "./images.ts";

/**
 * y = f(x *ᵀ W + b), (x *ᵀ W)[n, fy, fx, o] = Σ over c and all ky, kx, cy, cx with cy stride + ky - padding = fy and
 * cx stride + kx - padding = fx of x[n, cy, cx, c] W[ky, kx, c, o]
 *
 * The products of {@linkcode conv2d} with the roles exchanged: this one's forward is a convolution's input gradient, in residues, and its
 * input gradient a convolution. dW is summed for each residue apart.
 *
 * Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285, chapter 4.
 *
 * @param x [N, H W C] (C a multiple of four then) or [N H W, C]
 * @param parameter Weight [K K C, C'], rows in the order ky, kx, c, and bias [C'].
 * @param options As of a convolution; `outputSize` [H', W'] where it is one of the larger sizes that a convolution takes to H and W.
 * @returns y [N H' W', C'] or, if flat, [N, H' W' C'], with H' of {@linkcode convTransposeSize} by default
 */
export function convTranspose2d(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  options: ConvOptions & { readonly outputSize?: readonly [height: number, width: number] },
): Variable {
  const coarse = imagesOf(x, parameter, options);
  const { outputs } = parameter.shape;
  const { channels } = coarse;
  const { name } = parameter;
  if (coarse.flat && isPacked(coarse)) {
    throw new RangeError(
      `Cannot apply "${name}" to "${x.name}": expected a multiple of 4 channels of flat images, found ${channels}`,
    );
  }
  const smallest = [coarse.height, coarse.width].map((size) => convTransposeSize(size, options));
  const [height, width] = options.outputSize ?? smallest;
  const beyond = Math.max(height - smallest[0], width - smallest[1]);
  if (height < smallest[0] || width < smallest[1] || beyond >= (options.stride ?? 1)) {
    throw new RangeError(
      `Cannot apply "${name}" to "${x.name}": expected an output of ${
        smallest.join(" x ")
      }, or of less than a stride more, found ${height} x ${width}`,
    );
  }
  if (options.flat && outputs % 4) return byTaps(t, x, parameter, options, coarse, [height, width]);
  const fine = outputImages(parameter, coarse, height, width, options.flat);
  const g = geometryOf(fine, coarse, options);
  const byResidue = order(fine, g, true);
  const { activation } = options;
  return recordConv(t, { x, parameter, fine, coarse, g, transposed: true, activation }, {
    size: {
      rows: t.stored(fine.count * pixelsOf(fine) / g.residues ** 2),
      depth: roundUp(g.taps ** 2 * 4 * groups4(channels), PANEL),
      columns: roundUp(outputs, PANEL),
      residues: g.residues ** 2,
    },
    a: () => merge(byResidue, imageLoader(t, "a", t.tensor(x), coarse, g, windowTransposed)),
    forward: () => ({
      b: weights(t, parameter, channels, channels, g, weightsLoader, byResidue),
      biasRow: parameter.biasRow,
    }),
    inputGradient: (gradient) => ({
      rows: t.stored(coarse.count * pixelsOf(coarse)),
      depth: roundUp(options.kernel ** 2 * 4 * groups4(outputs), PANEL),
      columns: roundUp(channels, PANEL),
      a: imageLoader(t, "a", gradient, fine, g, windowLoader),
      b: weights(t, parameter, channels, outputs, g, weightsTurned, { parts: [taps] }),
    }),
    weightGradient: (gradient) => ({
      b: merge(byResidue, imageLoader(t, "b", gradient, fine, g, pixelsLoader)),
      slices: {
        parts: [slicesResidues],
        constants: {
          ...g.constants,
          ...residueConstants(g),
          ROW_sum_bias: parameter.biasRow,
          CHANNELS_b: channels,
          GROUPS4_a: groups4(channels),
        },
      },
    }),
  });
}

/**
 * A transposed convolution to few channels, which as rows of pixels would leave most of a panel empty: one product forms what each coarse
 * pixel gives to all the fine pixels that it meets, [N H W, K K C'], and its sums are then gathered, image by image. The gradients are
 * products with the windows of the fine image in place of that matrix.
 */
function byTaps(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  options: ConvOptions,
  coarse: Images,
  [height, width]: readonly [number, number],
): Variable {
  const { kernel, stride = 1, padding = 0, activation } = options;
  const { name, shape: { outputs }, biasRow } = parameter;
  const { channels, count } = coarse;
  // Each fine pixel then meets exactly one of the stride x stride weights from the padding on: the bias is summed by them.
  if (height !== stride * coarse.height || width !== stride * coarse.width || padding + stride > kernel) {
    throw new RangeError(
      `Cannot apply "${name}" to "${x.name}": expected a multiple of 4 channels of a flat output, or one of ${
        stride * coarse.height
      } x ${stride * coarse.width} by a kernel of at least ${
        padding + stride
      }, found ${height} x ${width} x ${outputs} by ${kernel}`,
    );
  }
  const fine: Images = { flat: true, count, height, width, channels: outputs };
  const g = geometryOf(fine, coarse, options);
  const rows = t.stored(count * pixelsOf(coarse));
  const given = t.variable(`${name} by taps`, kernel ** 2 * outputs, "f32", count * pixelsOf(coarse));
  const columns = roundUp(given.columns, PANEL);
  const depth = roundUp(channels, PANEL);
  const constants = { CHANNELS_b: channels, OUTPUTS: outputs };
  const byTap = () =>
    merge(t.packed("b", parameter.tensor), {
      parts: [weightsTaps],
      constants: { ...g.constants, ...constants },
    });
  return recordConv(t, { x, parameter, fine, coarse, g, transposed: true, activation }, {
    size: { rows, depth, columns },
    a: () => merge(order(coarse, g, false), imageLoader(t, "a", t.tensor(x), coarse, g, pixelsLoader)),
    // The bias is for the sums.
    forward: () => ({ b: merge(byTap(), { parts: [biasNone] }) }),
    gather: {
      from: given,
      load: () =>
        merge(packed("b", parameter.tensor), {
          parts: [scattered],
          constants: { ...g.constants, OUTPUTS: outputs, ROW_bias_b: biasRow, ROWS_given: t.stored(given.rows) },
          buffers: { given: read(t.tensor(given), "array<f32>") },
        }),
    },
    inputGradient: (gradient) => ({
      rows,
      depth: columns,
      columns: depth,
      a: imageLoader(t, "a", gradient, fine, g, windowScalar),
      b: byTap(),
    }),
    weightGradient: (gradient) => ({
      b: imageLoader(t, "b", gradient, fine, g, windowScalar),
      sum: sumTaps,
      slices: { parts: [], constants: { ...g.constants, ...constants, ROW_sum_bias: biasRow } },
      summedColumns: roundUp(outputs, PANEL),
    }),
  });
}
