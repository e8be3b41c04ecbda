/**
 * The Sobol sequence: points that fill a unit cube more evenly than random ones do.
 *
 * Source: Sobol (1967), in Gray-code order (Antonov and Saleev 1979), with the direction numbers of Joe and Kuo, "Constructing Sobol
 * sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008), file new-joe-kuo-6.
 *
 * @module
 */

import { randomBits } from "../core/graph/random.ts";

/** Degree s and coefficients a of each dimension's primitive polynomial, from the second on, and its initial m_1 ... m_s. */
const DIRECTIONS: readonly (readonly [s: number, a: number, m: readonly number[]])[] = [
  [1, 0, [1]],
  [2, 1, [1, 3]],
  [3, 1, [1, 3, 1]],
  [3, 2, [1, 1, 1]],
  [4, 1, [1, 1, 3, 3]],
  [4, 4, [1, 3, 5, 13]],
  [5, 2, [1, 1, 5, 5, 17]],
  [5, 4, [1, 1, 5, 5, 5]],
  [5, 7, [1, 1, 7, 11, 19]],
  [5, 11, [1, 1, 5, 1, 1]],
  [5, 13, [1, 1, 1, 3, 11]],
  [5, 14, [1, 3, 5, 5, 31]],
  [6, 1, [1, 3, 3, 9, 7, 49]],
  [6, 13, [1, 1, 1, 15, 21, 21]],
  [6, 16, [1, 3, 1, 13, 27, 49]],
  [6, 19, [1, 1, 1, 15, 7, 5]],
  [6, 22, [1, 3, 1, 15, 13, 25]],
  [6, 25, [1, 1, 5, 5, 19, 61]],
  [7, 1, [1, 3, 7, 11, 23, 15, 103]],
  [7, 4, [1, 3, 7, 13, 13, 15, 69]],
];

/** The most dimensions there are. */
export const SOBOL_DIMENSIONS = DIRECTIONS.length + 1;

/** v_1 ... v_32 of a dimension, m_i / 2^i as 32-bit fractions. */
function directions(dimension: number): Uint32Array {
  const v = new Uint32Array(32);
  if (dimension === 0) return v.map((_, i) => 2 ** (31 - i));
  const [s, a, m] = DIRECTIONS[dimension - 1];
  for (let i = 0; i < 32; i++) {
    if (i < s) v[i] = m[i] * 2 ** (31 - i);
    else {
      v[i] = v[i - s] ^ (v[i - s] >>> s);
      for (let k = 1; k < s; k++) if ((a >> (s - 1 - k)) & 1) v[i] ^= v[i - k];
    }
  }
  return v;
}

/**
 * Points of the unit cube, [count][dimensions], each number in [0, 1).
 *
 * @param seed Of a digital shift, which keeps how evenly they lie; left out, the sequence itself, whose first point is 0.
 * @throws {RangeError} If there are more than {@linkcode SOBOL_DIMENSIONS} dimensions.
 */
export function sobol(count: number, dimensions: number, seed?: number): number[][] {
  if (dimensions > SOBOL_DIMENSIONS) {
    throw new RangeError(
      `Cannot draw a Sobol sequence: expected at most ${SOBOL_DIMENSIONS} dimensions, found ${dimensions}`,
    );
  }
  const v = Array.from({ length: dimensions }, (_, dimension) => directions(dimension));
  const shift = (dimension: number) => seed === undefined ? 0 : randomBits(seed, 0, 0, dimension)[0];
  const x = Uint32Array.from(v, (_, dimension) => shift(dimension));
  return Array.from({ length: count }, (_, n) => {
    // From one point to the next one direction is added: that of the lowest zero bit of its number.
    if (n > 0) {
      const lowest = 31 - Math.clz32(n & -n);
      for (let dimension = 0; dimension < dimensions; dimension++) x[dimension] ^= v[dimension][lowest];
    }
    return Array.from(x, (value) => value / 2 ** 32);
  });
}
