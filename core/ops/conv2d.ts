/**
 * Convolutions and transposed convolutions of images, by the same three matrix products as a dense layer: only the loaders differ, which read
 * image windows where they lie. No window is ever copied.
 *
 * A convolution goes from a fine image to a coarse one, a transposed convolution from a coarse one to a fine one: in both, weight (ky, kx)
 * joins coarse pixel (cy, cx) with fine pixel (cy stride + ky - padding, cx stride + kx - padding).
 *
 * @module
 */

import type { Fragment } from "../kernel.ts";
import type { Parameter, ParameterShape } from "../parameters.ts";
import { merge, storing, type Tape, type Variable } from "../tape.ts";
import { PANEL, roundUp, type Tensor } from "../tensor.ts";
import type { Product } from "../tiles.ts";
import type { Activation } from "./activations.ts";
import { layerOutput } from "./layer.ts";
import { reshaped, words } from "./reshape.ts";
import cellBlocks from "../../shaders/loaders/cell_blocks.wgsl" with { type: "text" };
import cellFlat from "../../shaders/loaders/cell_flat.wgsl" with { type: "text" };
import cellPixels from "../../shaders/loaders/cell_pixels.wgsl" with { type: "text" };
import only from "../../shaders/epilogues/only.wgsl" with { type: "text" };
import phases from "../../shaders/loaders/phases.wgsl" with { type: "text" };
import pixelsLoader from "../../shaders/loaders/pixels.wgsl" with { type: "text" };
import place from "../../shaders/epilogues/place.wgsl" with { type: "text" };
import raster from "../../shaders/loaders/raster.wgsl" with { type: "text" };
import slicesPhases from "../../shaders/tiles/slices_phases.wgsl" with { type: "text" };
import slicesRows from "../../shaders/tiles/slices_rows.wgsl" with { type: "text" };
import sumBlocks from "../../shaders/tiles/sum_blocks.wgsl" with { type: "text" };
import taps from "../../shaders/loaders/taps.wgsl" with { type: "text" };
import weightBlocks from "../../shaders/loaders/weight_blocks.wgsl" with { type: "text" };
import weightsBlocks from "../../shaders/loaders/weights_blocks.wgsl" with { type: "text" };
import weightsBlocksTurned from "../../shaders/loaders/weights_blocks_turned.wgsl" with { type: "text" };
import weightsLoader from "../../shaders/loaders/weights.wgsl" with { type: "text" };
import weightsTurned from "../../shaders/loaders/weights_turned.wgsl" with { type: "text" };
import windowLoader from "../../shaders/loaders/window.wgsl" with { type: "text" };
import windowScalar from "../../shaders/loaders/window_scalar.wgsl" with { type: "text" };
import windowTransposed from "../../shaders/loaders/window_transposed.wgsl" with { type: "text" };

/** The images that a layer reads, and how. */
export interface ConvOptions {
  /** H, rows of the input images. */
  readonly height: number;
  /** W, columns of the input images. */
  readonly width: number;
  /** C, channels of the input images. */
  readonly channels: number;
  /** K, rows and columns of the kernel. */
  readonly kernel: number;
  /** Fine pixels from one coarse pixel to the next. Default 1. */
  readonly stride?: number;
  /** Rows and columns of zeros around the fine image. Default 0. */
  readonly padding?: number;
  /** Default "identity". */
  readonly activation?: Activation;
  /**
   * Whether the output has a row for each image, [N, H' W' C'], not for each pixel, [N H' W', C']: what a dense layer or a likelihood
   * reads. C' must be a multiple of four then; of a transposed convolution, C' or H' and W'.
   */
  readonly flat?: boolean;
}

/** The shape of the parameters of a convolution or transposed convolution to C' channels: [K K C, C'] and [C']. */
export function convShape(
  { height, width, channels, kernel }: Pick<ConvOptions, "height" | "width" | "channels" | "kernel">,
  outputs: number,
): ParameterShape {
  return { inputs: kernel * kernel * channels, outputs, images: [height, width, channels] };
}

/** H' = ⌊(H + 2 padding - K) / stride⌋ + 1 */
export function convSize(size: number, { kernel, stride = 1, padding = 0 }: SizeOptions): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

/** H' = (H - 1) stride - 2 padding + K, the smallest size that a convolution takes to H. */
export function convTransposeSize(size: number, { kernel, stride = 1, padding = 0 }: SizeOptions): number {
  return (size - 1) * stride - 2 * padding + kernel;
}

/** What the size of an output follows from. */
export type SizeOptions = Pick<ConvOptions, "kernel" | "stride" | "padding">;

/** Images as a matrix: a row for each pixel or for each image. */
interface Images {
  readonly flat: boolean;
  /** Where its pixels are blocks of an image with a row each: their side, and the channels of that image. */
  readonly block?: { readonly side: number; readonly outputs: number };
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** How fine and coarse pixels meet. */
interface Geometry {
  readonly constants: Readonly<Record<string, number>>;
  /** Phases of a side, and weights of a side that meet the pixels of one. */
  readonly phases: number;
  readonly taps: number;
}

function geometryOf(fine: Images, coarse: Images, { kernel, stride = 1, padding = 0 }: ConvOptions): Geometry {
  const phases = fine.height % stride || fine.width % stride ? 1 : stride;
  return {
    constants: {
      IMAGES: fine.count,
      KERNEL: kernel,
      STRIDE: stride,
      PADDING: padding,
      FINE_HEIGHT: fine.height,
      FINE_WIDTH: fine.width,
      COARSE_HEIGHT: coarse.height,
      COARSE_WIDTH: coarse.width,
    },
    phases,
    taps: Math.ceil(kernel / phases),
  };
}

const pixelsOf = ({ height, width }: Images) => height * width;
const groups4 = (channels: number) => Math.ceil(channels / 4);

/** A fragment giving cell_m. */
function cell(m: string, { flat, block, channels, height, width }: Images): Fragment {
  if (block) {
    return {
      parts: [{ text: cellBlocks, parameters: { m } }],
      constants: { BLOCK: block.side, OUTPUTS: block.outputs, BLOCKS_WIDTH: width, [`CHANNELS_${m}`]: channels },
    };
  }
  return {
    parts: [{ text: flat ? cellFlat : cellPixels, parameters: { m } }],
    constants: { [`PIXELS_${m}`]: height * width, [`CHANNELS_${m}`]: channels },
  };
}

/** A fragment giving load_m by a loader that reads pixels. */
function imageLoader(m: string, tensor: Tensor, images: Images, g: Geometry, part: string): Fragment {
  return merge(words(m, tensor), cell(m, images), {
    parts: [{ text: part, parameters: { m } }],
    constants: { ...g.constants, [`GROUPS4_${m}`]: groups4(images.channels) },
  });
}

/** Whether windows must be read value by value, without padding between the channels. */
const isPacked = ({ channels }: Images) => channels % 4 !== 0;

/** Constants of phases.wgsl. */
const phaseConstants = ({ phases, taps }: Geometry) => ({ PHASES: phases, TAPS: taps });

/** A fragment giving place_of in the order of a product's rows, phase by phase for a fine image that is summed over taps. */
function order(images: Images, g: Geometry, phased: boolean): Fragment {
  return phased
    ? { parts: [phases], constants: { ...g.constants, ...phaseConstants(g) } }
    : { parts: [raster], constants: { ...g.constants, PIXELS: pixelsOf(images) } };
}

/** An epilogue whose values go where the images are stored, and the name of the function that takes them in. */
function placed(
  epilogue: Fragment,
  images: Images,
  g: Geometry,
  phased: boolean,
): { epilogue: Fragment; store?: string } {
  if (!isMoved(images, g, phased)) return { epilogue };
  return {
    epilogue: merge(epilogue, cell("out", images), order(images, g, phased), { parts: [place] }),
    store: "place",
  };
}

function isMoved({ flat }: Images, { phases }: Geometry, phased: boolean): boolean {
  return flat || (phased && phases > 1);
}

/** The weights as an operand whose sum runs over taps and padded channels. */
function weights(
  parameter: Parameter,
  channels: number,
  summed: number,
  g: Geometry,
  part: string,
  tapOrder: Fragment,
): Fragment {
  return merge(words("b", parameter.tensor), tapOrder, {
    parts: [part],
    constants: { ...g.constants, CHANNELS_b: channels, GROUPS4_b: groups4(summed) },
  });
}

/** How the images of a variable are stored, and how many they are. */
function imagesOf(x: Variable, parameter: Parameter, options: ConvOptions): Images {
  const { height, width, channels, kernel } = options;
  const pixels = height * width;
  // An image of one pixel is the same either way.
  const flat = pixels > 1 && x.columns === pixels * channels;
  const count = flat ? x.rows : x.rows / pixels;
  if (!flat && (x.columns !== channels || !Number.isInteger(count))) {
    throw new RangeError(
      `Cannot apply "${parameter.name}" to "${x.name}": expected images of ${height} x ${width} x ${channels} as [N, ${
        pixels * channels
      }] or [N ${pixels}, ${channels}], found [${x.rows}, ${x.columns}]`,
    );
  }
  const { inputs, outputs } = parameter.shape;
  if (inputs !== kernel * kernel * channels) {
    throw new RangeError(
      `Cannot apply "${parameter.name}" to "${x.name}": expected ${kernel} x ${kernel} x ${channels} x ${outputs} weights, found ${inputs} x ${outputs}`,
    );
  }
  return { flat, count, height, width, channels };
}

function outputImages(parameter: Parameter, { count }: Images, height: number, width: number, flat = false): Images {
  const channels = parameter.shape.outputs;
  if (height < 1 || width < 1) {
    throw new RangeError(
      `Cannot apply "${parameter.name}": expected an output of at least 1 x 1, found ${height} x ${width}`,
    );
  }
  if (flat && channels % 4) {
    throw new RangeError(
      `Cannot apply "${parameter.name}": expected a multiple of 4 channels of a flat output, found ${channels}`,
    );
  }
  return { flat, count, height, width, channels };
}

/** Rows and columns of the matrix of images. */
function matrixOf(images: Images): { rows: number; columns: number } {
  const { flat, count, channels } = images;
  const pixels = pixelsOf(images);
  return flat ? { rows: count, columns: pixels * channels } : { rows: count * pixels, columns: channels };
}

/**
 * y = f(x * W + b), (x * W)[n, cy, cx, o] = Σ over ky, kx, c of x[n, cy stride + ky - padding, cx stride + kx - padding, c] W[ky, kx, c, o],
 * with zeros outside of the image; a cross-correlation, as everywhere in deep learning.
 *
 * Backward, with da = dy · f'(a): dx is the transposed convolution of da by the same weights, dW[ky, kx, c, o] = Σ over n, cy, cx of
 * x[n, cy stride + ky - padding, ...] da[n, cy, cx, o], db = Σ da. One dispatch forward; one for dx; for dW and db together one that sums in
 * chunks and one that adds the chunks, which the optimizer ends. The fine pixels of dx are worked on in stride² phases of equal
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
  const size = matrixOf(coarse);
  const { name } = parameter;
  const { y, epilogue } = layerOutput(t, name, size.rows, size.columns, options.activation ?? "identity", !coarse.flat);
  const rows = t.stored(coarse.count * pixelsOf(coarse));
  const columns = roundUp(outputs, PANEL);
  const macs = coarse.count * pixelsOf(coarse) * parameter.shape.inputs * outputs;
  const window = () => imageLoader("a", t.tensor(x), fine, g, isPacked(fine) ? windowScalar : windowLoader);
  t.record({
    name,
    inputs: [x],
    parameters: [parameter],
    forward() {
      t.product({
        label: `${name} forward`,
        kind: "forward",
        rows,
        depth: parameter.biasRow,
        columns,
        a: window(),
        b: t.load("b", parameter.tensor),
        biasRow: parameter.biasRow,
        ...placed(epilogue(), coarse, g, false),
        macs,
      });
    },
    backward() {
      const gradient = t.gradient(y);
      // The input gradient first: the weight gradient ends by changing W.
      if (t.needsGradient(x)) {
        const tapOrder = order(fine, g, true);
        contribute(t, x, fine, g, true, (epilogue) => ({
          label: `${name} input gradient`,
          kind: "inputGradient",
          rows: t.stored(fine.count * pixelsOf(fine) / g.phases ** 2),
          depth: roundUp(g.taps ** 2 * 4 * groups4(outputs), PANEL),
          columns: roundUp(fine.channels, PANEL),
          a: merge(tapOrder, imageLoader("a", gradient, coarse, g, windowTransposed)),
          b: weights(parameter, fine.channels, outputs, g, weightsTurned, tapOrder),
          phases: g.phases ** 2,
          macs,
          ...epilogue,
        }));
      }
      if (t.needsGradient(parameter)) {
        t.splitProduct({
          label: `${name} weight gradient`,
          rows: parameter.biasRow,
          depth: roundUp(rows, PANEL),
          columns,
          a: window(),
          b: merge(order(coarse, g, false), imageLoader("b", gradient, coarse, g, pixelsLoader)),
          slices: { parts: [slicesRows] },
          summedRows: parameter.biasRow + 1,
          epilogue: t.contribution(parameter),
          macs,
        });
      }
    },
  }, y);
  return y;
}

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

/** Records the product that forms the gradient of images, wherever and however they are stored. */
function contribute(
  t: Tape,
  x: Variable,
  images: Images,
  g: Geometry,
  phased: boolean,
  describe: (epilogue: Pick<Product, "epilogue" | "store">) => Product,
): void {
  if (!images.flat || !isPacked(images)) {
    t.product(describe(placed(t.contribution(x), images, g, phased)));
    return;
  }
  // Four channels of a pixel do not stay together in rows that are no multiple of four: pixel by pixel first, then in rows.
  const pixels: Images = { ...images, flat: false };
  const { rows, columns } = matrixOf(pixels);
  const gradient = t.tensor(t.variable(`gradient of ${x.name} by pixels`, columns, "f32", rows));
  const store = merge({ parts: [only] }, storing(gradient));
  t.product(describe(placed(store, pixels, g, phased)));
  t.map(`${x.name} gradient`, reshaped("a", gradient, x.rows, x.columns), t.contribution(x), x);
}
