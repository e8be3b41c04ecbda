/**
 * Transposed convolutions of images, by the same three matrix products as a dense layer, pixel by pixel or in blocks of pixels.
 *
 * @module
 */

import type { Fragment } from "../kernel.ts";
import type { Parameter } from "../parameters.ts";
import { merge, type Tape, type Variable } from "../tape.ts";
import { PANEL, roundUp } from "../tensor.ts";
import { layerOutput } from "./layer.ts";
import { words } from "./reshape.ts";
import pixelsLoader from "../../shaders/loaders/pixels.wgsl" with { type: "text" };
import slicesPhases from "../../shaders/tiles/slices_phases.wgsl" with { type: "text" };
import sumBlocks from "../../shaders/tiles/sum_blocks.wgsl" with { type: "text" };
import taps from "../../shaders/loaders/taps.wgsl" with { type: "text" };
import weightBlocks from "../../shaders/loaders/weight_blocks.wgsl" with { type: "text" };
import weightsBlocks from "../../shaders/loaders/weights_blocks.wgsl" with { type: "text" };
import weightsBlocksTurned from "../../shaders/loaders/weights_blocks_turned.wgsl" with { type: "text" };
import weightsLoader from "../../shaders/loaders/weights.wgsl" with { type: "text" };
import weightsTurned from "../../shaders/loaders/weights_turned.wgsl" with { type: "text" };
import windowLoader from "../../shaders/loaders/window.wgsl" with { type: "text" };
import windowTransposed from "../../shaders/loaders/window_transposed.wgsl" with { type: "text" };
import {
  contribute,
  type ConvOptions,
  convTransposeSize,
  geometryOf,
  groups4,
  imageLoader,
  type Images,
  imagesOf,
  isMoved,
  isPacked,
  matrixOf,
  order,
  outputImages,
  phaseConstants,
  pixelsOf,
  placed,
  weights,
} from "./images.ts";

/**
 * y = f(x *ᵀ W + b), (x *ᵀ W)[n, fy, fx, o] = Σ over c and all ky, kx, cy, cx with cy stride + ky - padding = fy and
 * cx stride + kx - padding = fx of x[n, cy, cx, c] W[ky, kx, c, o]
 *
 * The products of {@linkcode conv2d} with the roles exchanged: this one's forward is a convolution's input gradient, in phases, and its
 * input gradient a convolution. dW is summed for each phase apart.
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
  if (options.flat && outputs % 4) return byBlocks(t, x, parameter, options, coarse, [height, width]);
  const fine = outputImages(parameter, coarse, height, width, options.flat);
  const g = geometryOf(fine, coarse, options);
  const size = matrixOf(fine);
  const moved = isMoved(fine, g, true);
  const { y, epilogue } = layerOutput(t, name, size.rows, size.columns, options.activation ?? "identity", !moved);
  const rows = t.stored(fine.count * pixelsOf(fine) / g.phases ** 2);
  const columns = roundUp(outputs, PANEL);
  const depth = roundUp(g.taps ** 2 * 4 * groups4(channels), PANEL);
  const macs = coarse.count * pixelsOf(coarse) * parameter.shape.inputs * outputs;
  const phased = order(fine, g, true);
  const window = () => merge(phased, imageLoader("a", t.tensor(x), coarse, g, windowTransposed));
  t.record({
    name,
    inputs: [x],
    parameters: [parameter],
    forward() {
      t.product({
        label: `${name} forward`,
        kind: "forward",
        rows,
        depth,
        columns,
        a: window(),
        b: weights(parameter, channels, channels, g, weightsLoader, phased),
        biasRow: parameter.biasRow,
        phases: g.phases ** 2,
        ...placed(epilogue(), fine, g, true),
        macs,
      });
    },
    backward() {
      const gradient = t.gradient(y);
      // The input gradient first: the weight gradient ends by changing W.
      if (t.needsGradient(x)) {
        contribute(t, x, coarse, g, false, (epilogue) => ({
          label: `${name} input gradient`,
          kind: "inputGradient",
          rows: t.stored(coarse.count * pixelsOf(coarse)),
          depth: roundUp(options.kernel ** 2 * 4 * groups4(outputs), PANEL),
          columns: roundUp(channels, PANEL),
          a: imageLoader("a", gradient, fine, g, windowLoader),
          b: weights(parameter, channels, outputs, g, weightsTurned, { parts: [taps] }),
          macs,
          ...epilogue,
        }));
      }
      if (t.needsGradient(parameter)) {
        t.splitProduct({
          label: `${name} weight gradient`,
          rows: depth,
          depth: roundUp(rows, PANEL),
          columns,
          phases: g.phases ** 2,
          a: window(),
          b: merge(phased, imageLoader("b", gradient, fine, g, pixelsLoader)),
          slices: {
            parts: [slicesPhases],
            constants: {
              ...g.constants,
              ...phaseConstants(g),
              ROW_sum_bias: parameter.biasRow,
              CHANNELS_b: channels,
              GROUPS4_a: groups4(channels),
            },
          },
          summedRows: parameter.biasRow + 1,
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}

/** Pixels of a side of the blocks of {@linkcode byBlocks}: rows of four pixels fill whole groups of columns, whatever the channels. */
const BLOCK = 4;

/**
 * A transposed convolution to few channels, which as rows of pixels would leave most of a panel empty: as a convolution that forms blocks
 * of 4 x 4 pixels from the window of the coarse image that touches them. Its weights are those of the layer, each wherever it meets.
 */
function byBlocks(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  options: ConvOptions,
  from: Images,
  [height, width]: readonly [number, number],
): Variable {
  const { kernel, stride = 1, padding = 0, activation = "identity" } = options;
  const { name, shape: { outputs }, biasRow } = parameter;
  const { channels } = from;
  if (height % BLOCK || width % BLOCK || BLOCK % stride || padding >= kernel) {
    throw new RangeError(
      `Cannot apply "${name}" to "${x.name}": expected a multiple of 4 channels of a flat output, or of 4 rows and columns, found ${height} x ${width} x ${outputs}`,
    );
  }
  // From the first to the last coarse pixel that a block touches.
  const before = Math.floor((kernel - 1 - padding) / stride);
  const window = before + 1 + Math.floor((BLOCK - 1 + padding) / stride);
  const to: Images = {
    flat: true,
    block: { side: BLOCK, outputs },
    count: from.count,
    height: height / BLOCK,
    width: width / BLOCK,
    channels: BLOCK * BLOCK * outputs,
  };
  const g = geometryOf(from, to, { ...options, kernel: window, stride: BLOCK / stride, padding: before });
  const { y, epilogue } = layerOutput(t, name, from.count, height * width * outputs, activation, false);
  const rows = t.stored(to.count * pixelsOf(to));
  const columns = roundUp(to.channels, PANEL);
  const depth = roundUp(window ** 2 * 4 * groups4(channels), PANEL);
  const macs = from.count * pixelsOf(from) * parameter.shape.inputs * outputs;
  const constants = {
    BLOCK,
    OUTPUTS: outputs,
    SHIFT: padding + stride * before,
    SPACING: stride,
    SIDE: kernel,
    CHANNELS_b: channels,
  };
  const windows = () => imageLoader("a", t.tensor(x), from, g, windowLoader);
  const blockWeights = (part: string, groups: number): Fragment =>
    merge(words("b", parameter.tensor), {
      parts: [weightBlocks, part],
      constants: { ...g.constants, ...constants, ROW_bias_b: biasRow, GROUPS4_b: groups },
    });
  t.record({
    name,
    inputs: [x],
    parameters: [parameter],
    forward() {
      t.product({
        label: `${name} forward`,
        kind: "forward",
        rows,
        depth,
        columns,
        a: windows(),
        b: blockWeights(weightsBlocks, groups4(channels)),
        ...placed(epilogue(), to, g, false),
        macs,
      });
    },
    backward() {
      const gradient = t.gradient(y);
      // The input gradient first: the weight gradient ends by changing W.
      if (t.needsGradient(x)) {
        const phased = order(from, g, true);
        contribute(t, x, from, g, true, (epilogue) => ({
          label: `${name} input gradient`,
          kind: "inputGradient",
          rows: t.stored(from.count * pixelsOf(from) / g.phases ** 2),
          depth: roundUp(g.taps ** 2 * to.channels, PANEL),
          columns: roundUp(channels, PANEL),
          a: merge(phased, imageLoader("a", gradient, to, g, windowTransposed)),
          b: merge(phased, blockWeights(weightsBlocksTurned, groups4(to.channels))),
          phases: g.phases ** 2,
          macs,
          ...epilogue,
        }));
      }
      if (t.needsGradient(parameter)) {
        t.splitProduct({
          label: `${name} weight gradient`,
          rows: depth,
          depth: roundUp(rows, PANEL),
          columns,
          a: windows(),
          b: merge(order(to, g, false), imageLoader("b", gradient, to, g, pixelsLoader)),
          sum: sumBlocks,
          slices: {
            parts: [],
            constants: { ...g.constants, ...constants, GROUPS4_b: groups4(channels), ROW_sum_bias: biasRow },
          },
          summedRows: biasRow + 1,
          summedColumns: roundUp(outputs, PANEL),
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}
