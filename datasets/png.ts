/**
 * PNG files as rows of bytes. Decoding is npm pngjs (MIT, no dependencies), fetched when the first image is asked for;
 * this file says what it takes of what PNG allows: 8 bits a channel, grey or colour, without transparency.
 *
 * @module
 */

/** The package, as pinned in deno.json. */
const PACKAGE = "pngjs@7.0.0";

/** An image in memory. */
export interface Image {
  readonly height: number;
  readonly width: number;
  /** 1 is grey, 3 is red, green and blue. */
  readonly channels: 1 | 3;
  /** [height, width, 4]: what pngjs gives, whatever the channels; {@linkcode copyPixels} takes the channels out. */
  readonly rgba: Uint8Array;
}

/** What is used here of pngjs. */
interface Pngjs {
  readonly PNG: {
    readonly sync: {
      read(bytes: Uint8Array): {
        readonly width: number;
        readonly height: number;
        readonly depth: number;
        readonly color: boolean;
        readonly data: Uint8Array;
      };
    };
  };
}

/** Decodes one file. */
export type DecodePng = (bytes: Uint8Array<ArrayBuffer>, file: string) => Image;

/**
 * Fetches the decoder (first use) and gives it.
 *
 * @returns A function that throws an `Error` naming the file when that is no PNG, is damaged, or has more than 8 bits a
 * channel or transparent pixels.
 */
export async function pngDecoder(): Promise<DecodePng> {
  const { Buffer } = await import("node:buffer");
  // Computed, so that the package is fetched by those who read images only.
  const { PNG }: Pngjs = await import(["npm", PACKAGE].join(":")).catch((cause) => {
    throw new Error(
      `Cannot read PNG files: npm package ${PACKAGE} is not in Deno's cache and could not be fetched; ` +
        "the first use needs an npm registry",
      { cause },
    );
  });
  return (bytes, file) => {
    const fail = (message: string, cause?: unknown): never => {
      throw new Error(`Cannot read "${file}": ${message}`, { cause });
    };
    const isPng = [0x89, 0x50, 0x4e, 0x47].every((byte, i) => bytes[i] === byte);
    if (!isPng) fail(`expected a PNG file, found ${bytes.length} bytes of something else`);
    // Asked of the header, since pngjs makes 8 bits of 16 and keeps no trace.
    if (bytes[24] > 8) fail(`expected at most 8 bits a channel, found ${bytes[24]}`);
    let image;
    try {
      image = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch (error) {
      return fail("expected a whole PNG file, found a damaged one (cut short?)", error);
    }
    const { width, height, color, data } = image;
    // Looked for in the pixels: a colour that counts as transparent is no alpha channel.
    for (let i = 3; i < data.length; i += 4) {
      if (data[i] !== 255) {
        fail("expected no transparency, found transparent pixels; lay the image on a background first");
      }
    }
    return { height, width, channels: color ? 3 : 1, rgba: data };
  };
}

/** Writes the pixels [height, width, channels] into `out` from `offset` on. */
export function copyPixels({ rgba, channels }: Image, out: Uint8Array, offset: number): void {
  if (channels === 1) {
    for (let from = 0, to = offset; from < rgba.length; from += 4) out[to++] = rgba[from];
    return;
  }
  for (let from = 0, to = offset; from < rgba.length; from += 4) {
    out[to++] = rgba[from];
    out[to++] = rgba[from + 1];
    out[to++] = rgba[from + 2];
  }
}

/** `28 x 28 grey`, for messages: height first. */
export function describeImage(height: number, width: number, channels: number): string {
  return `${height} x ${width} ${channels === 1 ? "grey" : "colour"}`;
}
