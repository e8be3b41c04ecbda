/**
 * Comparing what a GPU formed in float32 with what a reference formed in float64.
 *
 * @module
 */

import { AssertionError } from "@std/assert";
import { normals } from "../../core/graph/random.ts";

/** How far two arrays may be apart. */
export interface Tolerance {
  /** Length of the sums that were formed: rounding grows with its square root. */
  readonly sum?: number;
  /** Absolute, for a sum of one; 1e-5. */
  readonly absolute?: number;
  /** Relative to the expected value; 1e-4. */
  readonly relative?: number;
}

/**
 * |actual - expected| <= absolute √sum + relative |expected| for every element, and none is NaN.
 *
 * @param what The name of the array in the message, which tells the worst element.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  { sum = 1, absolute = 1e-5, relative = 1e-4 }: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw new AssertionError(`${what}: expected ${expected.length} values, found ${actual.length}`);
  }
  let worst = -1;
  let excess = 1;
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(actual[i] - expected[i]) / (absolute * Math.sqrt(sum) + relative * Math.abs(expected[i]));
    if (actual[i] === expected[i] || apart <= excess) continue;
    worst = i;
    excess = apart;
    if (Number.isNaN(apart)) break;
  }
  if (worst < 0) return;
  throw new AssertionError(
    `${what}: element ${worst} of ${expected.length} is ${actual[worst]}, expected ${expected[worst]} (${
      excess.toPrecision(3)
    } times the tolerance)`,
  );
}

/** Standard normals, a function of the stream, times a scale. */
export const draw = (count: number, stream: number, scale = 1): Float32Array<ArrayBuffer> =>
  normals(new Float32Array(count), 9, 0, stream).map((x) => scale * x);

/** A row so many times, one below the other. */
export const repeated = (row: readonly number[], count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count * row.length }, (_, i) => row[i % row.length]);

/** The same values in float64, for a reference. */
export const float64 = (values: ArrayLike<number>): Float64Array<ArrayBuffer> => Float64Array.from(values);
