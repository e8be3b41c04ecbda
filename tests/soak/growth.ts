/**
 * Whether a process holds more and more: what it held at the end of a long run beside what it held once it had warmed up.
 *
 * @module
 */

/** What a process holds. */
export interface Held {
  /** Resident memory. */
  readonly megabytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Buffers and textures that are alive on the GPU. */
  readonly buffers: number;
}

/** By how much each may grow: memory comes and goes with collections of garbage, the others do not. */
export const BOUNDS: Held = { megabytes: 64, descriptors: 4, threads: 4, buffers: 0 };

/** Of a run so much is warming up: code is compiled, and pools are filled. */
const WARM_UP = 1 / 4;

/** Measures that one median is of, at most. */
const MOST = 20;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** The medians of what was held after the warm-up, and at the end. */
export function growth(held: readonly Held[]): { readonly from: Held; readonly to: Held } {
  const warm = held.slice(Math.floor(held.length * WARM_UP));
  const count = Math.max(1, Math.min(MOST, Math.floor(warm.length / 3)));
  const of = (some: readonly Held[]): Held => ({
    megabytes: median(some.map(({ megabytes }) => megabytes)),
    descriptors: median(some.map(({ descriptors }) => descriptors)),
    threads: median(some.map(({ threads }) => threads)),
    buffers: median(some.map(({ buffers }) => buffers)),
  });
  return { from: of(warm.slice(0, count)), to: of(warm.slice(-count)) };
}

/** What grew beyond its bound, in words; none of it if all is well. */
export function grown(held: readonly Held[]): string[] {
  const { from, to } = growth(held);
  return (Object.keys(BOUNDS) as (keyof Held)[]).filter((name) => to[name] - from[name] > BOUNDS[name]).map((name) =>
    `${name} grew from ${from[name].toFixed(0)} to ${to[name].toFixed(0)}, by more than ${BOUNDS[name]}`
  );
}
