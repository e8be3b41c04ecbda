/**
 * What the tests of several datasets share: a folder to work in, files written small, and counts.
 *
 * @module
 */

import { PNG } from "pngjs";

export { withFolder } from "../support/folder.ts";

/** The count of every class. */
export function histogram(labels: Uint8Array, classes = 10): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/** The mean over all values of a channel, where a byte stands for value / 255. */
export function mean(values: Uint8Array | Float32Array, channel = 0, channels = 1): number {
  let sum = 0;
  for (let i = channel; i < values.length; i += channels) sum += values[i];
  return sum / (values.length / channels) / 255;
}

/** The PNG color types: grey, RGB, grey with alpha, RGB with alpha. */
export type ColorType = 0 | 2 | 4 | 6;

/** A PNG file of RGBA pixels [height, width, 4], kept as the color type says. */
export function png(
  height: number,
  width: number,
  rgba: ArrayLike<number>,
  colorType: ColorType,
): Uint8Array<ArrayBuffer> {
  const writer: { write(image: object, options: object): Uint8Array } = PNG.sync;
  return new Uint8Array(writer.write({ width, height, data: Uint8Array.from(rgba), gamma: 0 }, { colorType }));
}

/** A PNG file of one grey value. */
export function greyPng(height: number, width: number, value: number): Uint8Array<ArrayBuffer> {
  return png(height, width, Array.from({ length: height * width }, () => [value, value, value, 255]).flat(), 0);
}

/** An idx file of unsigned bytes. */
export function idx(shape: readonly number[], values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(4 + 4 * shape.length + values.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 | shape.length);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  file.set(Array.from(values), 4 + 4 * shape.length);
  return file;
}

/** Packs bytes as gzip does. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}
