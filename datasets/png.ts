/**
 * PNG files. Decoding is npm pngjs (MIT, no dependencies), fetched when the first image is asked for; 16 bits a channel are rounded to 8.
 * This file checks what pngjs believes: that the pixels are all there and no more than the header declares, and that memory has room for
 * them.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { builtin } from "./builtin.ts";
import { orientationOf } from "./exif.ts";
import type { Image } from "./image.ts";
import { inflate, requireCrc32 } from "./packed.ts";

/** The package, as pinned in deno.json. */
const PACKAGE = "pngjs@7.0.0";

/** What is used here of pngjs. */
interface Pngjs {
  readonly PNG: {
    readonly sync: {
      read(bytes: Uint8Array): {
        readonly data: Uint8Array;
      };
    };
  };
}

/** What is used here of Node's buffers, which pngjs takes. */
interface Buffers {
  readonly Buffer: { from(buffer: ArrayBuffer, from: number, length: number): Uint8Array };
}

/** Decodes one file. */
export type DecodePng = (bytes: Uint8Array<ArrayBuffer>, file: string) => Image;

/**
 * Fetches the decoder (first use) and gives it.
 *
 * @returns A function that throws a `FileError` naming the file when that is no PNG or is damaged.
 */
export async function pngDecoder(): Promise<DecodePng> {
  const { Buffer } = builtin<Buffers>("buffer");
  // Computed, so that the package is fetched by those who read images only.
  const { PNG }: Pngjs = await import(["npm", PACKAGE].join(":")).catch((cause) => {
    throw new Error(
      `Cannot read PNG files: npm package ${PACKAGE} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry",
      { cause },
    );
  });
  return (bytes, file) => {
    const { width, height, colour, orientation, end } = checked(bytes, file);
    let data;
    try {
      ({ data } = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, end)));
    } catch (cause) {
      throw new FileError(file, "expected a whole PNG file, found a damaged one", { cause });
    }
    return { height, width, channels: colour ? 3 : 1, orientation, rgba: data };
  };
}

/** How many of a file's first bytes {@linkcode isDeepPng} looks at. */
export const PNG_HEADER = 25;

/** Whether a file is a PNG of 16 bits a channel, by its first bytes. */
export function isDeepPng(bytes: Uint8Array): boolean {
  return bytes.length >= PNG_HEADER && bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[24] === 16;
}

/** Channels of a pixel by the colour type, and the bits that each may have. 3 is an index into a palette. */
const COLOUR_TYPES: Readonly<Record<number, { readonly channels: number; readonly depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
};

/** Where the passes of an interlaced image begin, x and y, and their steps (Adam7). */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/**
 * What a PNG declares, once its chunks are whole, their checksums fit, and its pixels are as many as it declares.
 *
 * @returns With where the file ends.
 * @see https://www.w3.org/TR/png-3/
 */
function checked(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
): Omit<Image, "rgba" | "channels"> & { readonly colour: boolean; readonly end: number } {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const damaged = (found: string) => fail(`expected a whole PNG file, found a damaged one (${found})`);
  const isPng = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
  if (!isPng) fail(`expected a PNG file, found ${bytes.length} bytes of something else`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const typeAt = (at: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  if (bytes.length < 33) damaged("cut short?");
  if (view.getUint32(8) !== 13 || typeAt(8) !== "IHDR") damaged("no header");
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const [depth, type, compression, filter, interlace] = bytes.subarray(24, 29);
  if (width === 0 || height === 0 || width >= 2 ** 31 || height >= 2 ** 31) {
    fail(`expected a height and a width from 1 to ${2 ** 31 - 1}, found ${height} x ${width}`);
  }
  const colours = COLOUR_TYPES[type];
  if (!colours?.depths.includes(depth)) fail(`expected a colour type of PNG, found ${type} with ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1) damaged("an unknown compression, filter or interlacing");

  const parts: Uint8Array<ArrayBuffer>[] = [];
  let [at, palette, last, orientation] = [8, false, "", 1];
  for (; last !== "IEND";) {
    if (at + 12 > bytes.length) damaged("cut short?");
    const length = view.getUint32(at);
    const next = at + 12 + length;
    if (next > bytes.length) damaged("cut short?");
    const name = typeAt(at);
    requireCrc32(bytes.subarray(at + 4, next - 4), view.getUint32(next - 4), file, `the chunk ${JSON.stringify(name)}`);
    if (name === "PLTE") palette = length > 0 && length % 3 === 0 && length <= 768;
    if (name === "eXIf") orientation = orientationOf(bytes.subarray(at + 8, next - 4));
    if (name === "IDAT") {
      if (parts.length && last !== "IDAT") damaged("pixels in two places");
      parts.push(bytes.subarray(at + 8, next - 4));
    }
    [at, last] = [next, name];
  }
  if (parts.length === 0) fail("expected a PNG file with pixels, found one without");
  if (type === 3 && !palette) damaged("colours without a palette");

  const bits = depth * colours.channels;
  const rowBytes = (pixels: number) => pixels && 1 + Math.ceil(pixels * bits / 8);
  const size = interlace
    ? PASSES.reduce(
      (sum, [x, y, right, down]) => sum + rowBytes(Math.ceil((width - x) / right)) * Math.ceil((height - y) / down),
      0,
    )
    : rowBytes(width) * height;
  // Unpacked, and as RGBA of so many bits.
  requireMemory(size + (depth > 8 ? 12 : 4) * width * height, file, `${height} x ${width} pixels`);
  inflate(joined(parts), "deflate", size, file);
  return { width, height, orientation, colour: (type & 2) > 0, end: at };
}

function joined(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
