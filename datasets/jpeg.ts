/**
 * JPEG files. Decoding is npm @jsquash/jpeg (mozjpeg in WebAssembly, Apache-2.0); this file says what it takes of what JPEG allows: 8 bits,
 * grey or colour. What mozjpeg fills up with grey and only warns of, a file cut short, is refused.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { codecOf } from "./codec.ts";
import { orientationOf } from "./exif.ts";
import type { Image } from "./image.ts";

/** The package, as pinned in deno.lock. */
const PACKAGE = "@jsquash/jpeg@1.6.0";

/** Pixels that a byte can stand for: a block of 8 x 8 takes one bit at least. */
const MOST = 512;

/** Fetches the decoder (first use) and gives it: it throws a `FileError` for what is no JPEG or is damaged. */
export async function jpegDecoder(): Promise<(bytes: Uint8Array<ArrayBuffer>, file: string) => Promise<Image>> {
  const codec = await codecOf(PACKAGE, "JPEG");
  return async (bytes, file) => {
    const { height, width, channels, orientation } = declared(bytes, file);
    const { rgba, ...found } = await codec(bytes, file);
    // Bytes too many between two parts are common, and harm nothing.
    const damage = found.warnings.find((warning) =>
      !/extraneous bytes|^Unknown Adobe|^Warning: unknown JFIF/.test(warning)
    );
    if (damage || found.height !== height || found.width !== width) {
      throw new FileError(file, `expected a whole JPEG file, found a damaged one (${damage ?? "another size"})`);
    }
    return { height, width, channels, orientation, rgba };
  };
}

/**
 * What a JPEG declares before its pixels.
 *
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.2)
 */
function declared(bytes: Uint8Array<ArrayBuffer>, file: string): Omit<Image, "rgba"> {
  const fail = (message: string): never => {
    throw new FileError(file, message);
  };
  const cut = () => fail("expected a whole JPEG file, found a damaged one (cut short?)");
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    fail(`expected a JPEG file, found ${bytes.length} bytes of something else`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation = 1;
  for (let at = 2;;) {
    if (at + 4 > bytes.length) cut();
    if (bytes[at] !== 0xff) fail("expected a whole JPEG file, found a damaged one (no marker)");
    const marker = bytes[at + 1];
    // Filled up with 0xff; or a marker without data.
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) cut();
    if (marker === 0xe1 && length >= 8 && view.getUint32(at + 4) === 0x45786966) {
      orientation = orientationOf(bytes.subarray(at + 10, end));
    }
    if (marker === 0xd9 || marker === 0xda) fail("expected a JPEG file with pixels, found one without a size");
    // Frames, but for the tables among them.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (length < 8) cut();
      const [precision, components] = [bytes[at + 4], bytes[at + 9]];
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      if (precision !== 8) fail(`expected a JPEG file of 8 bits a channel, found ${precision}`);
      if (marker !== 0xc0 && marker !== 0xc1 && marker !== 0xc2) {
        fail(`expected a baseline or progressive JPEG file, found another kind (0x${marker.toString(16)})`);
      }
      if (components !== 1 && components !== 3) {
        const kind = components === 4 ? "CMYK; convert it to RGB" : `${components}`;
        fail(`expected a JPEG file of 1 or 3 channels, found ${kind}`);
      }
      if (height === 0 || width === 0) fail(`expected a height and a width of at least 1, found ${height} x ${width}`);
      if (height * width > MOST * bytes.length) {
        fail(`expected ${height} x ${width} pixels, found ${bytes.length} bytes, too few for that (cut short?)`);
      }
      // In the decoder, and as RGBA.
      requireMemory(8 * height * width, file, `${height} x ${width} pixels`);
      return { height, width, channels: components === 1 ? 1 : 3, orientation };
    }
    at = end;
  }
}
