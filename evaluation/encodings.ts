/**
 * Encodings of rows that may be more than memory has room for.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import type { Encoded } from "../core/distributions/encoded.ts";
import { ALONE, type Ranks, shareOf } from "../core/graph/ranks.ts";
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
 * @param options The seed of pixels that are drawn, what stops it, and the processes that each encode some rows of every part.
 */
export async function* encodedParts(
  trained: Trained,
  count: number,
  partOf: (from: number, to: number) => Split,
  { seed, signal, ranks = ALONE }: {
    readonly seed: number;
    readonly signal?: AbortSignal;
    readonly ranks?: Ranks;
  },
): AsyncGenerator<EncodedPart> {
  const some = Math.max(1, Math.floor(VALUES / trained.features));
  for (let [from, step] = [0, 0]; from < count; from += some, step++) {
    signal?.throwIfAborted();
    const part = partOf(from, Math.min(count, from + some));
    const x = trained.rowsOf(part, 0, part.count, (seed + step) >>> 0);
    const own = shareOf(ranks, part.count);
    if (own.to === own.from) continue;
    const width = x.length / part.count;
    const encoded = await trained.posterior(
      ranks.size === 1 ? x : x.slice(own.from * width, own.to * width),
      ranks.size === 1 ? part : slice(part, own.from, own.to),
    );
    yield { from: from + own.from, step, encoded };
  }
}
