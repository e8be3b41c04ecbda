/**
 * What convolutions and transposed convolutions share: how images are stored as matrices, how a fine and a coarse image meet, and the
 * loaders and epilogues that follow from it. It is no op.
 *
 * A convolution goes from a fine image to a coarse one, a transposed convolution from a coarse one to a fine one: in both, weight (ky, kx)
 * joins coarse pixel (cy, cx) with fine pixel (cy stride + ky - padding, cx stride + kx - padding).
 *
 * @module
 */

import { type Fragment, merge } from "../gpu/kernel.ts";
import type { Parameter, ParameterShape } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Activation } from "./activations.ts";
import cellFlat from "../../shaders/loaders/cell_flat.wgsl" with { type: "text" };
import cellPixels from "../../shaders/loaders/cell_pixels.wgsl" with { type: "text" };
import residues from "../../shaders/loaders/residues.wgsl" with { type: "text" };
import place from "../../shaders/epilogues/place.wgsl" with { type: "text" };
import raster from "../../shaders/loaders/raster.wgsl" with { type: "text" };

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
   * reads. C' must be a multiple of four then; of a transposed convolution, C', or H' and W' the stride times H and W.
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
export interface Images {
  readonly flat: boolean;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** How fine and coarse pixels meet. */
export interface Geometry {
  readonly constants: Readonly<Record<string, number>>;
  /** Phases of a side, and weights of a side that meet the pixels of one. */
  readonly residues: number;
  readonly taps: number;
}

export function geometryOf(fine: Images, coarse: Images, { kernel, stride = 1, padding = 0 }: ConvOptions): Geometry {
  const residues = fine.height % stride || fine.width % stride ? 1 : stride;
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
    residues,
    taps: Math.ceil(kernel / residues),
  };
}

export const pixelsOf = ({ height, width }: Images) => height * width;
export const groups4 = (channels: number) => Math.ceil(channels / 4);

/** A fragment giving cell_m. */
function cell(m: string, { flat, channels, height, width }: Images): Fragment {
  return {
    parts: [{ text: flat ? cellFlat : cellPixels, parameters: { m } }],
    constants: { [`PIXELS_${m}`]: height * width, [`CHANNELS_${m}`]: channels },
  };
}

/** A fragment giving load_m by a loader that reads pixels. */
export function imageLoader(
  t: Tape,
  m: string,
  tensor: Tensor,
  images: Images,
  g: Geometry,
  part: string,
): Fragment {
  return merge(t.packed(m, tensor), cell(m, images), {
    parts: [{ text: part, parameters: { m } }],
    constants: { ...g.constants, [`GROUPS4_${m}`]: groups4(images.channels) },
  });
}

/** Whether windows must be read value by value, without padding between the channels. */
export const isPacked = ({ channels }: Images) => channels % 4 !== 0;

/** Constants of residues.wgsl. */
export const residueConstants = ({ residues, taps }: Geometry) => ({ RESIDUES: residues, TAPS: taps });

/** A fragment giving place_of in the order of a product's rows, residue by residue for a fine image that is summed over taps. */
export function order(images: Images, g: Geometry, byResidue: boolean): Fragment {
  return byResidue
    ? { parts: [residues], constants: { ...g.constants, ...residueConstants(g) } }
    : { parts: [raster], constants: { ...g.constants, PIXELS: pixelsOf(images) } };
}

/** An epilogue whose values go where the images are stored, and the name of the function that takes them in. */
export function placed(
  epilogue: Fragment,
  images: Images,
  g: Geometry,
  byResidue: boolean,
): { epilogue: Fragment; store?: string } {
  if (!isMoved(images, g, byResidue)) return { epilogue };
  return {
    epilogue: merge(epilogue, cell("out", images), order(images, g, byResidue), { parts: [place] }),
    store: "place",
  };
}

export function isMoved({ flat }: Images, { residues }: Geometry, byResidue: boolean): boolean {
  return flat || (byResidue && residues > 1);
}

/** The weights as an operand whose sum runs over taps and padded channels. */
export function weights(
  t: Tape,
  parameter: Parameter,
  channels: number,
  summed: number,
  g: Geometry,
  part: string,
  tapOrder: Fragment,
): Fragment {
  return merge(t.packed("b", parameter.tensor), tapOrder, {
    parts: [part],
    constants: { ...g.constants, CHANNELS_b: channels, GROUPS4_b: groups4(summed) },
  });
}

/** How the images of a variable are stored, and how many they are. */
export function imagesOf(x: Variable, parameter: Parameter, options: ConvOptions): Images {
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

export function outputImages(
  parameter: Parameter,
  { count }: Images,
  height: number,
  width: number,
  flat = false,
): Images {
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
export function matrixOf(images: Images): { rows: number; columns: number } {
  const { flat, count, channels } = images;
  const pixels = pixelsOf(images);
  return flat ? { rows: count, columns: pixels * channels } : { rows: count * pixels, columns: channels };
}
