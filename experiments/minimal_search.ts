/**
 * The search for the smallest structure that meets a requirement, apart from what is trained: it yields structures, is told which of
 * them meet it, and says what it found.
 *
 * @module
 */

/** Widths of the hidden layers, the number of latent dimensions last. */
export type Structure = readonly number[];

/** Largest structures that are looked at. */
export interface Bounds {
  /** Most hidden layers. */
  readonly depth: number;
  /** Widest hidden layer. */
  readonly width: number;
  /** Most latent dimensions. */
  readonly latents: number;
}

/** What of the requirement a structure meets. */
export interface Verdict {
  readonly reconstruction: boolean;
  readonly kl: boolean;
}

/** What a search came to. */
export interface Found {
  /** The smallest structure found; undefined if none within the bounds meets the requirement. */
  readonly structure?: Structure;
  /** Every structure tried, in order, and whether it met the requirement. */
  readonly tried: readonly { readonly structure: Structure; readonly meets: boolean }[];
}

/**
 * Step 1: the smallest depth at which the widest structure reconstructs well enough. Where its KL is too large, its hidden layers are
 * first narrowed, all alike, to the greatest width at which it is not. Step 2: for each layer from the last (the latents) to the first,
 * by binary search, the smallest width that still meets both, the other layers as they stand, no smaller than the next layer's width.
 *
 * Binary search takes for granted that the KL grows with the width, and that a structure which meets the requirement goes on doing so
 * when a layer is widened. Where that fails the result still meets it, but a smaller one may have been passed over.
 *
 * Source: Wang, "Variational Autoencoder".
 */
export function* minimalStructure({ depth, width, latents }: Bounds): Generator<Structure, Found, Verdict> {
  const tried: { structure: Structure; verdict: Verdict; meets: boolean }[] = [];
  function* verdictOf(structure: Structure): Generator<Structure, Verdict, Verdict> {
    const known = tried.find((one) => one.structure.join() === structure.join());
    if (known) return known.verdict;
    const verdict = yield structure;
    tried.push({ structure, verdict, meets: verdict.reconstruction && verdict.kl });
    return verdict;
  }
  const meets = function* (structure: Structure) {
    const { reconstruction, kl } = yield* verdictOf(structure);
    return reconstruction && kl;
  };
  const found = (structure?: Structure): Found => ({
    ...(structure ? { structure } : {}),
    tried: tried.map(({ structure, meets }) => ({ structure, meets })),
  });

  let start: number[] | undefined;
  for (let layers = 1; layers <= depth && !start; layers++) {
    const of = (each: number) => [...new Array<number>(layers).fill(each), latents];
    const widest = yield* verdictOf(of(width));
    if (!widest.reconstruction) continue;
    // At `low` the KL is small enough, as far as is known, and at `high` it is not.
    let [low, high] = widest.kl ? [width, width + 1] : [latents - 1, width];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const { reconstruction, kl } = yield* verdictOf(of(middle));
      if (kl) low = middle;
      else high = middle;
      // A narrower one would not reconstruct either.
      if (!reconstruction && !kl) break;
    }
    if (low >= latents && (yield* meets(of(low)))) start = of(low);
  }
  if (!start) return found();
  for (let layer = start.length - 1; layer >= 0; layer--) {
    // `high` always meets the requirement; below `low` nothing is looked for.
    let low = start[layer + 1] ?? 1;
    let high = start[layer];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (yield* meets(start.with(layer, middle))) high = middle;
      else low = middle + 1;
    }
    start[layer] = high;
  }
  return found(start);
}

/** One tried structure and what it reached. */
export interface Reached {
  readonly structure: Structure;
  readonly value: number;
}

/**
 * Pairs in which the larger structure (no layer narrower) reached a larger, that is worse, value by more than a tolerance: where the
 * search's assumption fails.
 */
export function violations(
  reached: readonly Reached[],
  tolerance: number,
): readonly { readonly smaller: Reached; readonly larger: Reached }[] {
  const isWithin = (a: Structure, b: Structure) =>
    a.length === b.length && a.join() !== b.join() && a.every((width, i) => width <= b[i]);
  return reached.flatMap((smaller) =>
    reached.filter((larger) =>
      isWithin(smaller.structure, larger.structure) && larger.value > smaller.value + tolerance
    ).map((larger) => ({ smaller, larger }))
  );
}
