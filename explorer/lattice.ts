/**
 * The lattice of points in two latents that the page shows first.
 *
 * @module
 */

/** Points a side. */
export const SIDE = 20;
/** How far it reaches, in deviations of N(0, 1). */
export const REACH = 2.5;

/** The lattice around z, from the upper left [SIDE², K]: the first axis grows to the right, the second one upward. */
export function planePoints(z: ArrayLike<number>, axes: readonly number[]): Float32Array<ArrayBuffer> {
  const latents = z.length;
  const points = new Float32Array(SIDE * SIDE * latents);
  for (let i = 0; i < SIDE * SIDE; i++) {
    points.set(z, i * latents);
    points[i * latents + axes[0]] = REACH * (2 * (i % SIDE) / (SIDE - 1) - 1);
    if (latents > 1) points[i * latents + axes[1]] = REACH * (1 - 2 * Math.floor(i / SIDE) / (SIDE - 1));
  }
  return points;
}
