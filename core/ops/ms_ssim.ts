/**
 * Structural similarity at several scales, with its gradient. The measure of finished images, on the host, is evaluation/image_quality.ts.
 *
 * @module
 */

import type { Tape, Variable } from "../graph/tape.ts";
import { multiply, square } from "./arithmetic.ts";
import { elementwise } from "./elementwise.ts";
import { filter } from "./filter.ts";
import { meanColumns } from "./sum.ts";

/** H, W and C. */
type Shape = readonly [height: number, width: number, channels: number];

/** Exponents of the scales, from the finest on. Source: Wang et al., 2003, section 3.2. */
const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** Pixels of the window, and its deviation. */
const [WINDOW, SIGMA] = [11, 1.5];

/** The least height and width that images have for {@linkcode msSsim}. */
export const MS_SSIM_SMALLEST = 3;

/** The weights of a Gaussian window of an odd width. */
function windowOf(width: number): Float64Array {
  const radius = (width - 1) / 2;
  const weights = Float64Array.from({ length: width }, (_, i) => Math.exp(-0.5 * ((i - radius) / SIGMA) ** 2));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

const INPUTS = ["ma", "mb", "aa", "bb", "ab"] as const;
/** σ_a² + σ_b² + C₂ and μ_a² + μ_b² + C₁, for values from 0 to 1. */
const [SPREAD, LEVEL] = ["(aa - ma * ma + bb - mb * mb + 9e-4)", "(ma * ma + mb * mb + 1e-4)"];

/** (2 σ_ab + C₂) / (σ_a² + σ_b² + C₂), from the windowed means of a, b, a², b² and a b */
const contrast = elementwise({
  name: "contrast and structure",
  inputs: INPUTS,
  value: `(2.0 * (ab - ma * mb) + 9e-4) / ${SPREAD}`,
  derivatives: {
    ma: `2.0 * (y * ma - mb) / ${SPREAD}`,
    mb: `2.0 * (y * mb - ma) / ${SPREAD}`,
    aa: `-y / ${SPREAD}`,
    bb: `-y / ${SPREAD}`,
    ab: `2.0 / ${SPREAD}`,
  },
});

/** (2 μ_a μ_b + C₁) / (μ_a² + μ_b² + C₁) */
const luminance = elementwise({
  name: "luminance",
  inputs: ["ma", "mb"],
  value: `(2.0 * ma * mb + 1e-4) / ${LEVEL}`,
  derivatives: { ma: `2.0 * (mb - y * ma) / ${LEVEL}`, mb: `2.0 * (ma - y * mb) / ${LEVEL}` },
});

const asFloats = elementwise({ name: "as floats", inputs: ["x"], value: "x", derivatives: { x: "1.0" } });

/** Π_j max(s_j, ε)^w_j: a power of what is not above 0 is none. */
function weighedProduct(t: Tape, factors: readonly Variable[], weights: readonly number[]): Variable {
  const names = factors.map((_, j) => `s${j}`);
  const power = (name: string, j: number) => `pow(max(${name}, vec4f(1e-4)), vec4f(${weights[j]}))`;
  return elementwise({
    name: "multi-scale similarity",
    inputs: names,
    value: names.map(power).join(" * "),
    derivatives: Object.fromEntries(
      names.map((name, j) => [name, `select(vec4f(), ${weights[j]} * y / ${name}, ${name} > vec4f(1e-4))`]),
    ),
  })(t, ...factors);
}

/** How many scales images have, each half as large as the one before: five, or as many as are no smaller than the window, and one at least. */
export function scalesOf([height, width]: Shape): number {
  let scales = 1;
  while (scales < WEIGHTS.length && Math.min(height, width) >> scales >= WINDOW) scales++;
  return scales;
}

/**
 * MS-SSIM = mean(l_M c_M)^w_M Π_{j < M} mean(c_j)^w_j, l = (2 μ_a μ_b + C₁) / (μ_a² + μ_b² + C₁) and
 * c = (2 σ_ab + C₂) / (σ_a² + σ_b² + C₂), the means over an image and its channels, at M scales of which each has the averages of 2 x 2 pixels of
 * the one before
 *
 * The moments are in a Gaussian window of 11 x 11 and deviation 1.5 within the image, or in the largest odd one that fits. There are
 * {@linkcode scalesOf} scales, two for 28 x 28 and three for 64 x 64, and their exponents, which are those of the paper, are divided by
 * their sum. Values are from 0 to 1: C₁ = 0.01², C₂ = 0.03². Factors below 1e-4 count as that and have no gradient. Source: Wang, Simoncelli and Bovik, "Multi-Scale Structural Similarity for
 * Image Quality Assessment", Asilomar 2003, equation 7.
 *
 * @param a [N, H W C], floats or bytes.
 * @param b [N, H W C]
 * @returns [N, 1], from 0 to 1; 1 for equal images.
 */
export function msSsim(t: Tape, a: Variable, b: Variable, shape: Shape): Variable {
  const smallest = Math.min(shape[0], shape[1]);
  if (smallest < MS_SSIM_SMALLEST) {
    const size = `${MS_SSIM_SMALLEST} x ${MS_SSIM_SMALLEST}`;
    throw new RangeError(
      `Cannot form the MS-SSIM: expected images of at least ${size} pixels, found ${shape[0]} x ${shape[1]}`,
    );
  }
  const taps = windowOf(Math.min(WINDOW, smallest - (smallest + 1) % 2));
  const scales = scalesOf(shape);
  const total = WEIGHTS.slice(0, scales).reduce((sum, weight) => sum + weight, 0);
  const factors: Variable[] = [];
  // What was gathered may be bytes.
  let [x, y] = [a, b].map((images) => images.type === "f32" ? images : asFloats(t, images));
  let [height, width, channels] = shape;
  for (let j = 0; j < scales; j++) {
    const images = [height, width, channels] as const;
    const blurred = (v: Variable) => {
      const down = filter(t, v, { shape: images, axis: "down", taps });
      return filter(t, down, { shape: [height - taps.length + 1, width, channels], axis: "across", taps });
    };
    const [ma, mb] = [blurred(x), blurred(y)];
    const c = contrast(t, ma, mb, blurred(square(t, x)), blurred(square(t, y)), blurred(multiply(t, x, y)));
    const last = j === scales - 1;
    factors.push(meanColumns(t, last ? multiply(t, luminance(t, ma, mb), c) : c));
    if (last) break;
    const halved = (v: Variable) => {
      const down = filter(t, v, { shape: images, axis: "down", taps: [0.5, 0.5], stride: 2 });
      const half = [height >> 1, width, channels] as const;
      return filter(t, down, { shape: half, axis: "across", taps: [0.5, 0.5], stride: 2 });
    };
    [x, y] = [halved(x), halved(y)];
    [height, width] = [height >> 1, width >> 1];
  }
  return weighedProduct(t, factors, WEIGHTS.slice(0, scales).map((weight) => weight / total));
}
