/**
 * An image in memory, and its pixels as a row of bytes. Formats are in `png.ts`, `jpeg.ts` and `webp.ts`; sizes are changed by `resize.ts`.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";

/** An image in memory. */
export interface Image {
  /** In pixels, as stored: {@linkcode orientation} says how it is looked at. */
  readonly height: number;
  readonly width: number;
  /** 1 is grey, 3 is red, green and blue. */
  readonly channels: 1 | 3;
  /** [height, width, 4]: what decoders give, whatever the channels. */
  readonly rgba: Uint8Array | Uint8ClampedArray;
  /** EXIF's orientation, 1 to 8; 1 where nothing is said. */
  readonly orientation: number;
}

/** The luma of red, green and blue. https://www.itu.int/rec/R-REC-BT.601 */
export const LUMA = [0.299, 0.587, 0.114] as const;

/** What transparent pixels are laid on: nothing, so that they are an error, or black or white. */
export const BACKGROUNDS = ["none", "black", "white"] as const;
/** The name of a background. */
export type Background = typeof BACKGROUNDS[number];

/**
 * Lays transparent pixels on a background, in place. They are looked for in the pixels: a colour that counts as transparent is no alpha
 * channel.
 *
 * @throws {FileError} If there are some, and no background.
 */
export function requireOpaque({ rgba }: Pick<Image, "rgba">, file: string, background: Background = "none"): void {
  const ground = background === "white" ? 255 : 0;
  for (let i = 3; i < rgba.length; i += 4) {
    const alpha = rgba[i];
    if (alpha === 255) continue;
    if (background === "none") {
      throw new FileError(
        file,
        "expected no transparency, found transparent pixels; lay the image on a background first, " +
          "or say which by --background white (or black)",
      );
    }
    for (let channel = i - 3; channel < i; channel++) {
      rgba[channel] = Math.round((rgba[channel] * alpha + ground * (255 - alpha)) / 255);
    }
    rgba[i] = 255;
  }
}

/** Writes the pixels [height, width, channels] into `out` from `offset` on; grey of a colour image is its luma. */
export function copyPixels(
  { rgba, channels: stored }: Pick<Image, "rgba" | "channels">,
  out: Uint8Array,
  offset: number,
  channels: 1 | 3 = stored,
): void {
  const grey = channels === 1 && stored === 3;
  for (let from = 0, to = offset; from < rgba.length; from += 4) {
    if (grey) {
      out[to++] = Math.round(LUMA[0] * rgba[from] + LUMA[1] * rgba[from + 1] + LUMA[2] * rgba[from + 2]);
      continue;
    }
    out[to++] = rgba[from];
    if (channels === 1) continue;
    out[to++] = rgba[from + 1];
    out[to++] = rgba[from + 2];
  }
}

/** `28 x 28 grey`, for messages: height first. */
export function describeImage(height: number, width: number, channels: number): string {
  return `${height} x ${width} ${channels === 1 ? "grey" : "colour"}`;
}
