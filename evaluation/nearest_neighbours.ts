/**
 * Nearest neighbours among rows, by comparing each with each.
 *
 * @module
 */

/** Features between looks at whether a row is already too far. */
const STRETCH = 64;

/**
 * The k rows at the least Euclidean distance, the nearest first; of equally distant ones those that come first.
 *
 * @param rows [N, D], N at least k
 * @param queries [M, D]
 * @param width D
 * @returns [M, k], numbers of rows
 */
export function nearestNeighbours(
  rows: Float32Array | Float64Array,
  queries: Float32Array | Float64Array,
  width: number,
  k: number,
): Uint32Array<ArrayBuffer> {
  const count = rows.length / width;
  if (!(k >= 1 && k <= count)) {
    throw new RangeError(`Cannot find nearest neighbours: expected 1 to ${count} of them, found ${k}`);
  }
  const found = new Uint32Array(queries.length / width * k);
  const distances = new Float64Array(k);
  for (let m = 0; m < queries.length / width; m++) {
    distances.fill(Infinity);
    for (let n = 0; n < count; n++) {
      const distance = distanceBelow(rows, n * width, queries, m * width, width, distances[k - 1]);
      if (!(distance < distances[k - 1])) continue;
      let place = k - 1;
      for (; place > 0 && distance < distances[place - 1]; place--) {
        distances[place] = distances[place - 1];
        found[m * k + place] = found[m * k + place - 1];
      }
      distances[place] = distance;
      found[m * k + place] = n;
    }
  }
  return found;
}

/** The squared distance of two rows, or of their first features where it is already not below a limit. */
function distanceBelow(
  a: Float32Array | Float64Array,
  fromA: number,
  b: Float32Array | Float64Array,
  fromB: number,
  width: number,
  limit: number,
): number {
  let sum = 0;
  for (let start = 0; start < width && sum < limit; start += STRETCH) {
    const end = Math.min(start + STRETCH, width);
    for (let i = start; i < end; i++) {
      const apart = a[fromA + i] - b[fromB + i];
      sum += apart * apart;
    }
  }
  return sum;
}
