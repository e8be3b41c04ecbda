/**
 * Encodings of rows that may be more than memory has room for.
 *
 * @module
 */

import type { Split } from "../core/dataset.ts";
import type { Encoded } from "../core/distributions/encoded.ts";
import type { Trained } from "../core/training/trained.ts";

/** Values that are encoded at a time. */
const VALUES = 2 ** 26;

/** q(z | x) of some rows. */
export interface EncodedPart {
  /** The number of the first. */
  readonly from: number;
  /** How many parts there were before. */
  readonly step: number;
  readonly encoded: Encoded;
}

/**
 * q(z | x) of rows as the model was given them in training, part by part.
 *
 * @param count N
 * @param partOf Gives the rows `from` to `to` (exclusive).
 * @param options The seed of pixels that are drawn, and what stops it.
 */
export async function* encodedParts(
  trained: Trained,
  count: number,
  partOf: (from: number, to: number) => Split,
  { seed, signal }: { readonly seed: number; readonly signal?: AbortSignal },
): AsyncGenerator<EncodedPart> {
  const some = Math.max(1, Math.floor(VALUES / trained.features));
  for (let [from, step] = [0, 0]; from < count; from += some, step++) {
    signal?.throwIfAborted();
    const part = partOf(from, Math.min(count, from + some));
    const encoded = await trained.posterior(trained.rowsOf(part, 0, part.count, (seed + step) >>> 0), part);
    yield { from, step, encoded };
  }
}
