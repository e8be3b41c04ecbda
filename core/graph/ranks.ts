/**
 * Processes that train one model together: which of them this one is, and what they add up. The transport is brought from outside
 * (`parallel/mpi.ts` has MPI's).
 *
 * @module
 */

/** Processes that work together, as one of them sees it. Each calls the same things in the same order. */
export interface Ranks {
  /** This one's number, from 0. */
  readonly rank: number;
  /** How many there are. */
  readonly size: number;
  /** Adds values over all ranks, in place: every rank then has the same bits. All of them give as many values. */
  sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void>;
}

/** One process on its own. */
export const ALONE: Ranks = { rank: 0, size: 1, sum: () => Promise.resolve() };

/** Sums of numbers over all ranks. */
export async function summed(ranks: Ranks, values: ArrayLike<number>): Promise<Float64Array<ArrayBuffer>> {
  const all = Float64Array.from(values);
  await ranks.sum(all);
  return all;
}

/** This rank's part of so many things in a row: each has as many as any other, or one more. */
export function shareOf({ rank, size }: Ranks, count: number): { readonly from: number; readonly to: number } {
  return { from: Math.floor(count * rank / size), to: Math.floor(count * (rank + 1) / size) };
}

/** A text of each rank, on every rank. */
export async function textsOf(ranks: Ranks, text: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  const own = (values: ArrayLike<number>, each: number) => {
    const all = new Float64Array(ranks.size * each);
    all.set(values, ranks.rank * each);
    return all;
  };
  const lengths = own([bytes.length], 1);
  await ranks.sum(lengths);
  const longest = Math.max(...lengths);
  const all = own(bytes, longest);
  await ranks.sum(all);
  return [...lengths].map((length, i) =>
    new TextDecoder().decode(Uint8Array.from(all.subarray(i * longest, i * longest + length)))
  );
}
