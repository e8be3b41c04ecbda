/**
 * Images of any size and orientation brought to one: turned as EXIF says, cut or padded, averaged over areas.
 *
 * @module
 */

import { type Image, LUMA } from "./image.ts";

/**
 * How an image fits into another shape: `cover` fills it and cuts what is left over on two sides, `contain` shows the whole image between
 * black bars, `stretch` changes its proportions.
 */
export const FITS = ["cover", "contain", "stretch"] as const;
/** The name of a fit. */
export type Fit = typeof FITS[number];

/** The size of an image as it is looked at, height first. */
export function orientedSize({ height, width, orientation }: Omit<Image, "rgba" | "channels">): [number, number] {
  return orientation >= 5 ? [width, height] : [height, width];
}

/** The image as it is looked at. */
export function oriented(image: Image): Image {
  const { orientation, rgba, width: storedWidth, height: storedHeight } = image;
  if (orientation === 1) return image;
  const [height, width] = orientedSize(image);
  // The pixel (y, x) of the result is stored in the row and column y and x, or x and y; and counted from the other end.
  const swapped = orientation >= 5;
  const fromBottom = [3, 4, 6, 7].includes(orientation);
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const from = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  const to = new Uint32Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [row, column] = swapped ? [x, y] : [y, x];
      const place = (fromBottom ? storedHeight - 1 - row : row) * storedWidth;
      to[y * width + x] = from[place + (fromRight ? storedWidth - 1 - column : column)];
    }
  }
  return { ...image, height, width, orientation: 1, rgba: new Uint8Array(to.buffer) };
}

/** Which source pixels a target pixel is the weighted mean of, along one axis. */
interface Taps {
  readonly first: Int32Array;
  readonly counts: Int32Array;
  /** [target, most]. */
  readonly weights: Float32Array;
  readonly most: number;
}

/**
 * The taps of an axis: the part `from` to `to` of `source` pixels becomes `target` pixels. A smaller image is the mean over the area of
 * each pixel; a larger one is interpolated linearly between pixel centres.
 */
function tapsOf(source: number, from: number, to: number, target: number): Taps {
  const scale = (to - from) / target;
  const most = scale > 1 ? Math.ceil(scale) + 1 : 2;
  const first = new Int32Array(target);
  const counts = new Int32Array(target);
  const weights = new Float32Array(target * most);
  for (let i = 0; i < target; i++) {
    if (scale > 1) {
      const [begin, end] = [from + i * scale, from + (i + 1) * scale];
      first[i] = Math.min(source - 1, Math.floor(begin));
      for (let k = 0; k < most; k++) {
        const pixel = first[i] + k;
        const covered = Math.min(end, pixel + 1) - Math.max(begin, pixel);
        if (pixel >= source || covered <= 1e-6) break;
        weights[i * most + k] = covered / scale;
        counts[i]++;
      }
      continue;
    }
    const centre = Math.min(source - 1, Math.max(0, from + (i + 0.5) * scale - 0.5));
    first[i] = Math.min(Math.floor(centre), Math.max(0, source - 2));
    counts[i] = Math.min(2, source);
    const beyond = centre - first[i];
    weights[i * most] = 1 - (counts[i] === 2 ? beyond : 0);
    if (counts[i] === 2) weights[i * most + 1] = beyond;
  }
  return { first, counts, weights, most };
}

/** What an image is brought to. */
export interface Target {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly fit: Fit;
}

/**
 * Writes an image in another size into `out` from `offset` on, [height, width, channels].
 *
 * @param image As it is looked at (see {@linkcode oriented}), opaque.
 */
export function resizeInto(
  image: Image,
  { height, width, channels, fit }: Target,
  out: Uint8Array,
  offset: number,
): void {
  const vertical = image.height / height;
  const horizontal = image.width / width;
  // Source pixels a target pixel, the same in both directions unless it is stretched.
  const common = fit === "cover" ? Math.min(vertical, horizontal) : Math.max(vertical, horizontal);
  const [down, across] = fit === "stretch" ? [vertical, horizontal] : [common, common];
  const inside = (size: number, scale: number, target: number) => {
    // How many target pixels the image takes, and which part of the source they show.
    const pixels = Math.min(target, Math.max(1, Math.round(size / scale)));
    const shown = fit === "cover" ? Math.min(size, target * scale) : size;
    return { pixels, from: (size - shown) / 2, to: (size + shown) / 2, before: Math.floor((target - pixels) / 2) };
  };
  const rows = inside(image.height, down, height);
  const columns = inside(image.width, across, width);
  const x = tapsOf(image.width, columns.from, columns.to, columns.pixels);
  const y = tapsOf(image.height, rows.from, rows.to, rows.pixels);
  // Across first: only the rows that are shown.
  const top = Math.floor(rows.from);
  const bottom = Math.min(image.height, Math.ceil(rows.to) + 1);
  const narrow = new Float32Array((bottom - top) * columns.pixels * channels);
  const pixel = [0, 0, 0];
  for (let row = top; row < bottom; row++) {
    for (let i = 0; i < columns.pixels; i++) {
      pixel[0] = pixel[1] = pixel[2] = 0;
      let at = 4 * (row * image.width + x.first[i]);
      for (let k = 0; k < x.counts[i]; k++, at += 4) {
        const weight = x.weights[i * x.most + k];
        pixel[0] += weight * image.rgba[at];
        pixel[1] += weight * image.rgba[at + 1];
        pixel[2] += weight * image.rgba[at + 2];
      }
      const to = ((row - top) * columns.pixels + i) * channels;
      if (channels === 3) narrow.set(pixel, to);
      else if (image.channels === 1) narrow[to] = pixel[0];
      else narrow[to] = LUMA[0] * pixel[0] + LUMA[1] * pixel[1] + LUMA[2] * pixel[2];
    }
  }
  out.fill(0, offset, offset + height * width * channels);
  const line = columns.pixels * channels;
  for (let j = 0; j < rows.pixels; j++) {
    for (let i = 0; i < line; i++) {
      let sum = 0;
      for (let k = 0; k < y.counts[j]; k++) {
        sum += y.weights[j * y.most + k] * narrow[(y.first[j] - top + k) * line + i];
      }
      out[offset + ((rows.before + j) * width + columns.before) * channels + i] = Math.round(sum);
    }
  }
}
