/**
 * Images side by side in one picture, and that picture as PNG. This file draws pixels it is given; it runs no model and
 * writes no file.
 *
 * @module
 */

import { PNG } from "pngjs";

/** A picture: RGBA bytes, row-major, from the upper left. */
export interface Grid {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** [height, width, 4]. */
  readonly pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** How images are laid out. */
export interface GridOptions {
  /** [height, width, channels] of an image; 1 channel is grey, 3 are RGB. */
  readonly shape: readonly [height: number, width: number, channels: number];
  /** Images in a row. Default: as many as make the grid about square; for pairs, at most 10. */
  readonly columns?: number;
  /** Pixels between images and around them. Default: 2. */
  readonly gap?: number;
  /** How many pixels a side one pixel of an image becomes. Default: 2. */
  readonly scale?: number;
}

const LIGHT_GREY = 0xdd;

/**
 * Lays images out row by row. Places after the last image stay empty.
 *
 * @param images [N, height, width, channels], row-major: floats from 0 to 1 (clamped, NaN is black), or bytes.
 * @throws {RangeError} If the shape, the columns, the gap or the scale cannot be, or the values are no whole images.
 */
export function imageGrid(images: Float32Array | Uint8Array, options: GridOptions): Grid {
  const { shape, gap = 2, scale = 2 } = options;
  const [height, width, channels] = shape;
  const count = countImages(images, shape);
  const size = images.length / count;
  const columns = options.columns ?? Math.ceil(Math.sqrt(count * height / width));
  requireInteger("columns", columns, 1);
  requireInteger("gap", gap, 0);
  requireInteger("scale", scale, 1);

  const rows = Math.ceil(count / columns);
  const [cellWidth, cellHeight] = [width * scale + gap, height * scale + gap];
  const grid = {
    width: columns * cellWidth + gap,
    height: rows * cellHeight + gap,
    pixels: new Uint8ClampedArray((columns * cellWidth + gap) * (rows * cellHeight + gap) * 4),
  };
  grid.pixels.fill(LIGHT_GREY);
  for (let i = 3; i < grid.pixels.length; i += 4) grid.pixels[i] = 255;

  const unit = images instanceof Uint8Array ? 1 : 255;
  for (let n = 0; n < count; n++) {
    const left = gap + (n % columns) * cellWidth;
    const top = gap + Math.floor(n / columns) * cellHeight;
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = n * size + (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * grid.width + left + x) * 4;
        for (let channel = 0; channel < 3; channel++) {
          grid.pixels[to + channel] = images[from + channel % channels] * unit;
        }
      }
    }
  }
  return grid;
}

/**
 * Lays images out in pairs of rows: a row of originals, under it the row of their reconstructions.
 *
 * @param originals [N, height, width, channels], as for {@linkcode imageGrid}.
 * @param reconstructions The same, of the same N.
 * @throws {RangeError} As {@linkcode imageGrid}, and if there are more of one than of the other.
 */
export function pairGrid(
  originals: Float32Array | Uint8Array,
  reconstructions: Float32Array | Uint8Array,
  options: GridOptions,
): Grid {
  if (originals.length !== reconstructions.length) {
    throw new RangeError(
      `Cannot draw pairs: expected ${originals.length} values of reconstructions, found ${reconstructions.length}`,
    );
  }
  const count = countImages(originals, options.shape);
  const size = originals.length / count;
  const columns = options.columns ?? Math.min(count, 10);
  requireInteger("columns", columns, 1);

  const [above, below] = [toUnit(originals), toUnit(reconstructions)];
  // The last pair of rows may be ragged: its places are filled with the colour of the gap.
  const rows = Math.ceil(count / columns);
  const images = new Float32Array(2 * rows * columns * size).fill(LIGHT_GREY / 255);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * columns * size, Math.min((row + 1) * columns, count) * size];
    images.set(above.subarray(from, to), 2 * from);
    images.set(below.subarray(from, to), 2 * from + columns * size);
  }
  return imageGrid(images, { ...options, columns });
}

function countImages(images: Float32Array | Uint8Array, shape: GridOptions["shape"]): number {
  const [height, width, channels] = shape;
  requireInteger("height", height, 1);
  requireInteger("width", width, 1);
  if (channels !== 1 && channels !== 3) {
    throw new RangeError(`Cannot draw images: expected 1 channel (grey) or 3 (RGB), found ${channels}`);
  }
  const size = height * width * channels;
  if (images.length === 0 || images.length % size !== 0) {
    throw new RangeError(
      `Cannot draw images: expected a multiple of ${size} values for shape [${shape}], found ${images.length}`,
    );
  }
  return images.length / size;
}

function toUnit(images: Float32Array | Uint8Array): Float32Array {
  return images instanceof Uint8Array ? Float32Array.from(images, (byte) => byte / 255) : images;
}

function requireInteger(name: string, value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new RangeError(
      `Cannot draw images: expected ${name} to be an integer of at least ${minimum}, found ${value}`,
    );
  }
}

/** What is used here of pngjs, which has no types of its own. */
interface PngWriter {
  write(image: { width: number; height: number; data: Uint8Array; gamma: number }, options: object): Uint8Array;
}

/**
 * A picture as PNG, in colour without transparency. Equal pictures give equal bytes.
 *
 * @returns The whole file.
 */
export function encodePng({ width, height, pixels }: Grid): Uint8Array<ArrayBuffer> {
  const writer: PngWriter = PNG.sync;
  const data = new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.length);
  return new Uint8Array(writer.write({ width, height, data, gamma: 0 }, { colorType: 2 }));
}
