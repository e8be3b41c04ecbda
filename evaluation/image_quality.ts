/**
 * How near images are to others: structural similarity, peak signal-to-noise ratio, mean squared error. In float64 on the host.
 *
 * @module
 */

import { type Dataset, features } from "../core/dataset.ts";

/** Means over images. */
export interface ImageQuality {
  /** Structural similarity, from -1 to 1; 1 for equal images. Absent where a side is shorter than {@linkcode SSIM_WINDOW}. */
  readonly ssim?: number;
  /** 10 log₁₀(R² / mse) of each image, dB; ∞ where images are equal. */
  readonly psnr: number;
  /** Mean of (a - b)² over values. */
  readonly mse: number;
}

/** Width of the Gaussian window: 3.5 deviations on either side, as scikit-image cuts it off. */
export const SSIM_WINDOW = 11;

/** The Gaussian window's deviation in pixels. */
const SIGMA = 1.5;

/** What moments are formed in: its weights along an axis, and the factor of (co)variances. */
interface Window {
  readonly weights: Float64Array;
  readonly unbiased: number;
}

const WINDOWS: Readonly<Record<SsimWindow, Window>> = {
  gaussian: windowOf(Float64Array.from({ length: SSIM_WINDOW }, (_, i) => {
    return Math.exp(-0.5 * ((i - (SSIM_WINDOW - 1) / 2) / SIGMA) ** 2);
  })),
  uniform: windowOf(new Float64Array(7).fill(1), 49 / 48),
};

/** The window in which {@linkcode ssim} compares: the paper's Gaussian, or 7 x 7 pixels that count alike. */
export type SsimWindow = "gaussian" | "uniform";

function windowOf(weights: Float64Array, unbiased = 1): Window {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { weights: weights.map((weight) => weight / sum), unbiased };
}

/**
 * SSIM = (2 μ_a μ_b + C₁)(2 σ_ab + C₂) / ((μ_a² + μ_b² + C₁)(σ_a² + σ_b² + C₂)), C₁ = (0.01 R)², C₂ = (0.03 R)², with moments in a Gaussian
 * window of 11 x 11 and deviation 1.5, averaged over the places where the window lies within the image, and over channels
 *
 * "uniform" has moments of 7 x 7 pixels that count alike, with sample (co)variances: scikit-image's default, of which many published
 * figures are.
 *
 * The constants depend on the range R of the data: of values from 0 to 1 it is 1. Some give 2, as if they were from -1 to 1, which makes
 * every figure larger; say which.
 *
 * Source: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE
 * Transactions on Image Processing 13(4), 2004, equation 13.
 *
 * @param a [N, height, width, channels]
 * @param b The same.
 * @param range R
 * @param window Default "gaussian".
 * @returns Of each image, from -1 to 1 [N].
 * @throws {RangeError} If a side is shorter than the window, or the values are no images of the shape.
 */
export function ssim(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shape: Dataset["shape"],
  range = 1,
  window: SsimWindow = "gaussian",
): Float64Array<ArrayBuffer> {
  const count = requireImages(a, b, shape);
  const [height, width, channels] = shape;
  const { weights, unbiased } = WINDOWS[window];
  const side = weights.length;
  if (Math.min(height, width) < side) {
    throw new RangeError(
      `Cannot form the SSIM: expected images of at least ${side} x ${side} pixels, found ${height} x ${width}`,
    );
  }
  const size = features(shape);
  const [c1, c2] = [(0.01 * range) ** 2, (0.03 * range) ** 2];
  const [rows, columns] = [height - side + 1, width - side + 1];
  const planes = Array.from({ length: 5 }, () => new Float64Array(height * width));
  const across = new Float64Array(height * columns);
  const smooth = planes.map(() => new Float64Array(rows * columns));
  return Float64Array.from({ length: count }, (_, image) => {
    let total = 0;
    for (let channel = 0; channel < channels; channel++) {
      for (let i = 0; i < height * width; i++) {
        const [p, q] = [a[image * size + i * channels + channel], b[image * size + i * channels + channel]];
        planes[0][i] = p;
        planes[1][i] = q;
        planes[2][i] = p * p;
        planes[3][i] = q * q;
        planes[4][i] = p * q;
      }
      planes.forEach((plane, k) => filter(weights, plane, across, smooth[k], width, columns));
      for (let i = 0; i < rows * columns; i++) {
        const [ma, mb] = [smooth[0][i], smooth[1][i]];
        const [va, vb] = [unbiased * (smooth[2][i] - ma * ma), unbiased * (smooth[3][i] - mb * mb)];
        const ab = unbiased * (smooth[4][i] - ma * mb);
        total += (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
      }
    }
    return total / (rows * columns * channels);
  });
}

/** Whether images are large enough for {@linkcode ssim}. */
export function hasSsim([height, width]: Dataset["shape"]): boolean {
  return Math.min(height, width) >= SSIM_WINDOW;
}

/** The window's mean at every place, along rows and then along columns. */
function filter(
  weights: Float64Array,
  plane: Float64Array,
  across: Float64Array,
  out: Float64Array,
  width: number,
  columns: number,
): void {
  for (let i = 0; i < across.length; i++) {
    const from = Math.floor(i / columns) * width + i % columns;
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k] * plane[from + k];
    across[i] = sum;
  }
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) sum += weights[k] * across[i + k * columns];
    out[i] = sum;
  }
}

/**
 * SSIM, PSNR and MSE of images and what was made of them.
 *
 * PSNR = 10 log₁₀(R² / mse), of each image and averaged.
 *
 * @param a [N, height, width, channels]
 * @param b The same.
 * @param range R, the range of the data.
 * @throws {RangeError} If the values are no images of the shape.
 */
export function imageQuality(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shape: Dataset["shape"],
  range = 1,
): ImageQuality {
  const count = requireImages(a, b, shape);
  const size = features(shape);
  const quality = { psnr: 0, mse: 0 };
  for (let image = 0; image < count; image++) {
    let mse = 0;
    for (let i = image * size; i < (image + 1) * size; i++) mse += (a[i] - b[i]) ** 2 / size;
    quality.mse += mse / count;
    quality.psnr += 10 * Math.log10(range * range / mse) / count;
  }
  if (!hasSsim(shape)) return quality;
  return { ssim: ssim(a, b, shape, range).reduce((sum, value) => sum + value, 0) / count, ...quality };
}

/** N */
function requireImages(a: ArrayLike<number>, b: ArrayLike<number>, shape: Dataset["shape"]): number {
  const size = features(shape);
  if (a.length === 0 || a.length % size !== 0 || b.length !== a.length) {
    throw new RangeError(
      `Cannot compare images: expected as many values of both, a multiple of ${size}, found ${a.length} and ${b.length}`,
    );
  }
  return a.length / size;
}
