/**
 * Image files by their first bytes: what a file is called says little.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { Image } from "./image.ts";
import { jpegDecoder } from "./jpeg.ts";
import { pngDecoder } from "./png.ts";
import { webpDecoder } from "./webp.ts";

/** Decodes one file. */
export type DecodeImage = (bytes: Uint8Array<ArrayBuffer>, file: string) => Promise<Image>;

type Format = "png" | "jpeg" | "webp";

/** What a file is, by the bytes that all of its kind begin with. */
function formatOf(bytes: Uint8Array): Format | undefined {
  const begins = (text: string, at = 0) => [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  if (begins("\x89PNG")) return "png";
  if (begins("\xff\xd8")) return "jpeg";
  if (begins("RIFF") && begins("WEBP", 8)) return "webp";
  return undefined;
}

/** A decoder of every format there is; each is fetched when the first file of its kind comes. */
export function imageDecoder(): DecodeImage {
  const make: Readonly<
    Record<Format, () => Promise<(bytes: Uint8Array<ArrayBuffer>, file: string) => Image | Promise<Image>>>
  > = {
    png: pngDecoder,
    jpeg: jpegDecoder,
    webp: webpDecoder,
  };
  const decoders = new Map<Format, ReturnType<typeof make[Format]>>();
  return async (bytes, file) => {
    const format = formatOf(bytes);
    if (!format) {
      throw new FileError(file, `expected a PNG, JPEG or WebP image, found ${bytes.length} bytes of something else`);
    }
    const decoder = decoders.get(format) ?? make[format]();
    decoders.set(format, decoder);
    return await (await decoder)(bytes, file);
  };
}
