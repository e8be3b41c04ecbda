/**
 * One image file as a row of bytes of a given size: read, decoded, turned, laid on a background, resized.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { Dataset } from "../core/dataset.ts";
import { type Background, copyPixels, describeImage, type Image, requireOpaque } from "../datasets/image.ts";
import { type DecodeImage, imageDecoder } from "../datasets/image_decoder.ts";
import { isDeepPng, PNG_HEADER } from "../datasets/png.ts";
import { type Fit, oriented, resizeInto } from "../datasets/resize.ts";
import { readWhole, systemFailure } from "./read.ts";

/** What images are brought to. */
export interface ImagePlan {
  readonly shape: Dataset["shape"];
  /** How images of other sizes are brought to it; where it is left out, they are an error. */
  readonly fit?: Fit;
  /** Whether colour images may become grey: those that do without having been asked to would lose something. */
  readonly toGrey: boolean;
  readonly background: Background;
}

const decode: DecodeImage = imageDecoder();

/** Files whose first bytes are looked at: images of a folder are of one kind, mostly. */
const LOOKED_AT = 100;

/** What there is to say of how files are decoded. */
export async function decodingRemarks(paths: readonly string[]): Promise<string[]> {
  for (const path of paths.slice(0, LOOKED_AT)) {
    using file = await Deno.open(path).catch((cause) => {
      throw systemFailure(path, cause);
    });
    const header = new Uint8Array(PNG_HEADER);
    if (await file.read(header) === PNG_HEADER && isDeepPng(header)) return ["16 bits a channel are rounded to 8"];
  }
  return [];
}

/** An image as it is looked at. */
export async function readImage(path: string, background: Background, signal?: AbortSignal): Promise<Image> {
  const image = oriented(await decode(await readWhole(path, signal), path));
  requireOpaque(image, path, background);
  return image;
}

/**
 * Writes an image into `out` from `offset` on.
 *
 * @throws {FileError} If it is damaged, or does not fit the plan.
 */
export async function readInto(
  path: string,
  { shape: [height, width, channels], fit, toGrey, background }: ImagePlan,
  out: Uint8Array,
  offset: number,
  signal?: AbortSignal,
): Promise<void> {
  const image = await readImage(path, background, signal);
  const fail = (next: string): never => {
    throw new FileError(
      path,
      `expected ${describeImage(height, width, channels)} like the first image, ` +
        `found ${describeImage(image.height, image.width, image.channels)}; ${next}`,
    );
  };
  const isAlike = image.height === height && image.width === width;
  if (!isAlike && !fit) fail("bring all to one size by --image-size 64 (or another)");
  if (channels < image.channels && !toGrey) fail("say what all become by --colour rgb or --colour grey");
  const into = channels as 1 | 3;
  if (isAlike) copyPixels(image, out, offset, into);
  else resizeInto(image, { height, width, channels: into, fit: fit! }, out, offset);
}
