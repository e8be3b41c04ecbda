/**
 * Normalizations in float64: sets of elements, straight from the formulas.
 *
 * @module
 */

/** Images [N, P, C] in row-major order. */
export interface NormSizes {
  readonly count: number;
  readonly pixels: number;
  readonly channels: number;
}

/** Which set element (n, p, c) is in. */
export type SetOf = (n: number, c: number) => number;

/** A set for each channel of the batch. */
export const ofBatch: SetOf = (_, c) => c;

/** A set for each image and group of C / G channels; for each image, with one group. */
export const ofGroups = (channels: number, groups: number): SetOf => (n, c) =>
  n * groups + Math.floor(c / (channels / groups));

/** μ and σ² of each set, and how many elements it has. */
export function moments(x: Float64Array, { pixels, channels }: NormSizes, setOf: SetOf) {
  const sets = new Map<number, number[]>();
  x.forEach((value, i) => {
    const set = setOf(Math.floor(i / channels / pixels), i % channels);
    sets.set(set, [...sets.get(set) ?? [], value]);
  });
  return new Map(
    [...sets].map(([set, values]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return [set, { mean, variance, size: values.length }];
    }),
  );
}

/** a = γ (x - μ) / √(σ² + ε) + β */
export function normalizeForward(
  x: Float64Array,
  gain: Float64Array,
  offset: Float64Array,
  sizes: NormSizes,
  setOf: SetOf,
  epsilon = 1e-5,
): Float64Array {
  const { pixels, channels } = sizes;
  const found = moments(x, sizes, setOf);
  return x.map((value, i) => {
    const c = i % channels;
    const { mean, variance } = found.get(setOf(Math.floor(i / channels / pixels), c))!;
    return gain[c] * (value - mean) / Math.sqrt(variance + epsilon) + offset[c];
  });
}

/** dx, dγ and dβ from da. */
export function normalizeBackward(
  x: Float64Array,
  gain: Float64Array,
  upstream: Float64Array,
  sizes: NormSizes,
  setOf: SetOf,
  epsilon = 1e-5,
): { readonly dx: Float64Array; readonly dGain: Float64Array; readonly dOffset: Float64Array } {
  const { pixels, channels } = sizes;
  const found = moments(x, sizes, setOf);
  const at = (i: number) => found.get(setOf(Math.floor(i / channels / pixels), i % channels))!;
  const normal = x.map((value, i) => (value - at(i).mean) / Math.sqrt(at(i).variance + epsilon));
  const [dGain, dOffset] = [new Float64Array(channels), new Float64Array(channels)];
  const sums = new Map([...found.values()].map((set) => [set, { g: 0, product: 0 }]));
  upstream.forEach((da, i) => {
    const c = i % channels;
    dGain[c] += da * normal[i];
    dOffset[c] += da;
    const sum = sums.get(at(i))!;
    sum.g += da * gain[c];
    sum.product += da * gain[c] * normal[i];
  });
  const dx = x.map((_, i) => {
    const { g, product } = sums.get(at(i))!;
    const { variance, size } = at(i);
    return (upstream[i] * gain[i % channels] - g / size - normal[i] * product / size) / Math.sqrt(variance + epsilon);
  });
  return { dx, dGain, dOffset };
}
