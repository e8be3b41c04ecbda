/**
 * WebP files. Decoding is npm @jsquash/webp (libwebp in WebAssembly, Apache-2.0); this file checks what a file declares beforehand.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { codecOf } from "./codec.ts";
import { orientationOf } from "./exif.ts";
import type { Image } from "./image.ts";

/** The package, as pinned in deno.lock. */
const PACKAGE = "@jsquash/webp@1.5.0";

/** Fetches the decoder (first use) and gives it: it throws a `FileError` for what is no WebP, is damaged or moves. */
export async function webpDecoder(): Promise<(bytes: Uint8Array<ArrayBuffer>, file: string) => Promise<Image>> {
  const codec = await codecOf(PACKAGE, "WebP");
  return async (bytes, file) => {
    const { height, width, orientation } = declared(bytes, file);
    const { rgba, ...found } = await codec(bytes, file);
    if (found.height !== height || found.width !== width) {
      throw new FileError(file, "expected a whole WebP file, found a damaged one (another size)");
    }
    return { height, width, channels: 3, orientation, rgba };
  };
}

/**
 * What a WebP declares before its pixels.
 *
 * @see https://developers.google.com/speed/webp/docs/riff_container
 */
function declared(
  bytes: Uint8Array<ArrayBuffer>,
  file: string,
): { height: number; width: number; orientation: number } {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const damaged = (found: string) => fail(`expected a whole WebP file, found a damaged one (${found})`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameAt = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (nameAt(0) !== "RIFF" || nameAt(8) !== "WEBP") {
    fail(`expected a WebP file, found ${bytes.length} bytes of something else`);
  }
  if (bytes.length < 30 || 8 + view.getUint32(4, true) > bytes.length) damaged("cut short?");
  const u24 = (at: number) => view.getUint16(at, true) + (bytes[at + 2] << 16);
  let [size, exif]: [[number, number] | undefined, Uint8Array | undefined] = [undefined, undefined];
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, length, start] = [nameAt(at), view.getUint32(at + 4, true), at + 8];
    if (start + length > bytes.length) damaged("cut short?");
    const least = { "VP8X": 10, "VP8 ": 10, "VP8L": 5 }[name] ?? 0;
    if (length < least) damaged("a chunk without its header");
    if (name === "VP8X") {
      if (bytes[start] & 2) fail("expected a still image, found an animation");
      size ??= [1 + u24(start + 7), 1 + u24(start + 4)];
    } else if (name === "VP8 ") {
      size ??= [view.getUint16(start + 8, true) & 0x3fff, view.getUint16(start + 6, true) & 0x3fff];
    } else if (name === "VP8L") {
      const bits = view.getUint32(start + 1, true);
      size ??= [1 + (bits >>> 14 & 0x3fff), 1 + (bits & 0x3fff)];
    } else if (name === "EXIF") {
      const block = bytes.subarray(start, start + length);
      // Some write what begins the block of a JPEG as well.
      exif = nameAt(start) === "Exif" ? block.subarray(6) : block;
    }
    at = start + length + length % 2;
  }
  if (!size) return fail("expected a WebP file with pixels, found one without");
  const [height, width] = size;
  if (height === 0 || width === 0) fail(`expected a height and a width of at least 1, found ${height} x ${width}`);
  requireMemory(8 * height * width, file, `${height} x ${width} pixels`);
  return { height, width, orientation: orientationOf(exif) };
}
