/**
 * The lattice of points in two latents that the page shows first.
 *
 * @module
 */

/** Points a side, where the page computes it. */
export const SIDE = 20;
/** How far it reaches, in deviations of N(0, 1). */
export const REACH = 2.5;

/**
 * The lattice around z, from the upper left [side², K]: the first axis grows to the right, the second one upward.
 *
 * @param side Points a side.
 */
export function planePoints(
  z: ArrayLike<number>,
  axes: readonly number[],
  side: number = SIDE,
): Float32Array<ArrayBuffer> {
  const latents = z.length;
  const points = new Float32Array(side * side * latents);
  for (let i = 0; i < side * side; i++) {
    points.set(z, i * latents);
    points[i * latents + axes[0]] = REACH * (2 * (i % side) / (side - 1) - 1);
    if (latents > 1) points[i * latents + axes[1]] = REACH * (1 - 2 * Math.floor(i / side) / (side - 1));
  }
  return points;
}
