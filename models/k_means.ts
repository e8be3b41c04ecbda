/**
 * k-means on the host, in float64.
 *
 * @module
 */

import { chosen, uniforms } from "../core/graph/random.ts";

/**
 * k-means++: the first mean is a row at random, each next one a row drawn by its squared distance to the nearest mean so far.
 *
 * Source: Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007.
 *
 * @param values [rows, width]
 * @param count K
 * @returns Means [K, width]
 */
export function kMeansPlusPlus(
  values: Float32Array,
  width: number,
  count: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const rows = values.length / width;
  const u = uniforms(new Float64Array(count), seed, 0, 2);
  const nearest = new Float64Array(rows).fill(1);
  const means = new Float32Array(count * width);
  for (let k = 0; k < count; k++) {
    const picked = chosen(nearest, u[k]) * width;
    means.set(values.subarray(picked, picked + width), k * width);
    for (let i = 0; i < rows; i++) {
      const square = squaredDistance(values, i * width, values, picked, width);
      nearest[i] = k === 0 ? square : Math.min(nearest[i], square);
    }
  }
  return means;
}

/**
 * Lloyd's iterations from the means of {@linkcode kMeansPlusPlus}: each row goes to its nearest mean, each mean becomes that of its rows. One
 * without rows stays where it is. It ends early where nothing changes.
 *
 * Source: Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28, 1982.
 *
 * @param values [rows, width]
 * @param count K
 * @returns Means [K, width]
 */
export function kMeans(
  values: Float32Array,
  width: number,
  count: number,
  seed: number,
  iterations: number,
): Float32Array<ArrayBuffer> {
  const means = kMeansPlusPlus(values, width, count, seed);
  const rows = values.length / width;
  let before = new Uint32Array(rows).fill(count);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const sums = new Float64Array(count * width);
    const sizes = new Uint32Array(count);
    const nearest = nearestMeans(values, means, width);
    for (let i = 0; i < rows; i++) {
      const best = nearest[i];
      sizes[best]++;
      for (let d = 0; d < width; d++) sums[best * width + d] += values[i * width + d];
    }
    if (nearest.every((best, i) => best === before[i])) break;
    before = nearest;
    for (let i = 0; i < means.length; i++) {
      const size = sizes[Math.floor(i / width)];
      if (size > 0) means[i] = sums[i] / size;
    }
  }
  return means;
}

/** Which mean each row is nearest to. */
export function nearestMeans(values: Float32Array, means: Float32Array, width: number): Uint32Array<ArrayBuffer> {
  const nearest = new Uint32Array(values.length / width);
  for (let i = 0; i < nearest.length; i++) {
    let least = Infinity;
    for (let k = 0; k < means.length / width; k++) {
      const square = squaredDistance(values, i * width, means, k * width, width);
      if (square < least) [nearest[i], least] = [k, square];
    }
  }
  return nearest;
}

function squaredDistance(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let d = 0; d < width; d++) {
    const apart = a[i + d] - b[j + d];
    sum += apart * apart;
  }
  return sum;
}
